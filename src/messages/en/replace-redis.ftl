# Redis in place: what stands in the way, what should be known, what went wrong.

replace-redis-own = { $server } is the Redis that this program itself works with: it would lose this very order. Stop the bot and the workers, then on the server: redis-cli FLUSHALL, and vakhta restore with the id of the backup and --to redis://{ $server }
replace-redis-pick = of a Redis only all databases together are replaced: a snapshot is one moment of all of them
replace-redis-via = { $server } is reached through a container: from there it can not be made to follow a server on this machine. Give the source a URL without via, or restore by vakhta restore into an empty Redis
replace-redis-sentinel = { $server } is a Sentinel: it has no data
replace-redis-cluster = { $server } is a node of a cluster, which can not be made a replica of a server outside: restore into an empty single Redis, and copy from there
replace-redis-replica = { $server } is a replica of { $master }: restore there
replace-redis-watched = { $server } is watched by a Sentinel, which would take its being a replica for a fault and interfere: take it out there first (SENTINEL REMOVE)
replace-redis-tls = { $server } replicates over TLS only, and is another machine: the data would have to go there unencrypted. Restore on its own machine
replace-redis-rights = the user of the source may not do, or { $server } does not offer: { $list }. On a managed server: restore by vakhta restore into an empty Redis of your own, and copy from there
replace-redis-tool = the backup is of Redis { $made }, and redis-server here is { $own }: install { $made } or newer
replace-redis-maxmemory = the backup needs about { $needed } MiB, and maxmemory of { $server } is { $limit } MiB
replace-redis-memory = the backup needs about { $needed } MiB, and the machine of { $server } has { $total } MiB of memory
replace-redis-room = in { $path } about { $needed } MiB are needed for unpacking, and { $free } MiB are free

replace-redis-writes = { $clients ->
    [0] while it takes the data over it refuses writes, and at the end also reads for a moment
    [one] one client stays connected: while the data are taken over its writes are refused, and at the end also its reads for a moment
   *[other] { $clients } clients stay connected: while the data are taken over their writes are refused, and at the end also their reads for a moment
}. What is written between the backup made before and that is in neither of both
replace-redis-replicas = { $count ->
    [one] its replica gets everything anew, by itself
   *[other] its { $count } replicas get everything anew, by themselves
}
replace-redis-expired = keys whose time has come since the backup are not there any more
replace-redis-aof = its append-only file is written anew; that is waited for

error-replace-redis-folder = { $path } can not be made ({ $code }), or is not this program's: remove it
error-replace-redis-over = Redis { $server } was replaced already by this restore
error-replace-redis-not-prepared = nothing is prepared, exactly as the backup says, to take the place of what Redis { $server } has
error-replace-redis-changed = Redis { $server } is not the one that was to be replaced any more: it was started anew, or is another one
error-replace-redis-no-former = there is no backup of what Redis { $server } had before: there is nothing to go back to
error-replace-redis-former = the backup of what Redis { $server } had before has not as many keys as it should: nothing was replaced
error-replace-redis-not-taken = Redis has not taken the data over: it has its former ones
error-replace-redis-lost = Redis could not load what it had received and is empty now: what it had is in the backup made before; restore that with vakhta restore
error-replace-redis-foreign = Redis is a replica of { $master } now, which is not of this restore: it was left alone
