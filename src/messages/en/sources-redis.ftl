# Redis as a source and as the target of a restore.

source-redis = Redis snapshot (RDB)
source-title-redis = { $product } { $version } at { $server }

error-redis-unreachable = Redis does not answer
error-redis-password = Redis does not accept user and password
error-redis-tls = no TLS connection to Redis comes about: see its own words, and the settings under tls
error-redis-rights = the user of Redis needs the rights +info +sync +psync +replconf
error-redis-no-sync = this Redis does not offer SYNC: a managed one may not let anybody take snapshots
error-redis-replica = this replica has no connection to its master: its data may be old
error-redis-loading = Redis is loading its data
error-redis-busy = Redis runs a script that does not end, and listens to nobody else meanwhile
error-redis-clients = Redis has as many clients as it takes: raise its setting maxclients
error-redis-mute = Redis takes the connection and does not answer on it: has the port TLS (rediss://), or none (redis://)?
error-redis-lost = the connection to Redis was lost before the snapshot was complete
error-redis-answer = Redis gave no answer to INFO
error-redis-sentinel = this is a Sentinel: it has no data; name the Redis itself
error-redis-cluster = this is one node of a cluster: make a backup of each master, with clusterNode: true
error-redis-incomplete = not as many bytes have arrived as redis-cli reports
error-redis-snapshot = redis-check-rdb refuses the snapshot
error-redis-snapshot-newer = the snapshot is of a newer version than redis-check-rdb: install the server's version here
error-redis-private = a private Redis could not load the snapshot
error-redis-memory = a private Redis would need { $needed } MiB of memory, and { $available } MiB are free here
error-redis-replication = the target does not take the data over; its log says why
error-redis-persist = the data is in the target's memory, and it could not save it to its disk
error-redis-target-refuses = the target refuses a command
error-redis-target-cluster = the target is a Sentinel or a node of a cluster: restore into a single server
error-redis-target-replica = the target is a replica of another server
error-redis-target-full = the target has keys: it has to be empty
error-redis-target-tls = the target replicates over TLS only: set tls-replication to no for the restore
error-redis-target-databases = the target has fewer databases than the backup: raise its setting databases
error-redis-target-route = the target sees this machine as { $address }, which is no address of it: restore on the target's own machine
error-redis-target-old = the target is { $target }, and the Redis that would send the data is { $own }: install the target's version here

config-problem-redis-source-url = expected redis://, rediss:// or unix:///path. Write / ? # in a password as %2F %3F %23.
config-problem-redis-source-percent = there is a % that is no escape. Write a percent sign as %25.
config-problem-redis-tls = tls: is for addresses that begin with rediss://.
