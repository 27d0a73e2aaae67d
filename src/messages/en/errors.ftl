# What can fail, in the words for the chat and the terminal. A failed tool's own lines are shown beside them.

error-source-unreachable = the database does not answer
error-source-refused = the database answers and lets nobody in
error-source-locked = { $step }: a table stayed locked for too long (ALTER TABLE, TRUNCATE, VACUUM FULL?); raise lockWait, or run at another time
error-source-tool = { $step } failed
error-source-empty = the source had nothing to back up
error-source-ended = psql ended before it answered
error-source-description = the server's description of itself could not be read
error-via-terminal = via: leave out the terminal (-t): it would alter the bytes of the dump
error-via-password = via: { $tool } does not pass a password on: let the tools find it there ({ $variable } in the pod) and leave it out of the URL

error-tool-missing = { $tool } is not installed on this machine: { $remedy }
error-tool-missing-path = { $tool } is not installed on this machine: install it, or add its folder to PATH
error-tool-too-old = server is { $server }, newest client here is { $client }: { $remedy }
error-tool-too-old-inside = server is { $server }, newest client inside "{ $via }" is { $client }: use an image with version { $server }
error-tool-failed = { $step } failed (exit status { $status })
error-tool-killed = { $step } was killed by { $signal }
error-tool-start = { $step } could not be started ({ $reason })
error-tool-slow = { $step } did not finish within { $seconds } s
error-no-pipe = no pipe could be made in { $folder }: see that it can be written to and has room
error-tool-output = { $step } printed more than { $bytes } bytes

error-recipient = { $recipient }... is not an age recipient (age1...)
error-identity = not an age identity (AGE-SECRET-KEY-1...)
error-identity-needed = backup { $run } is encrypted: its private key (identity) is needed to read it
error-decrypt = it can not be decrypted: it is for another key, damaged or cut off
error-decrypt-cut = it can not be decrypted: it is cut off
error-decrypt-damaged = it can not be decrypted: it is damaged or cut off

error-disk-full = storage { $storage }: the disk is full: free space or shorten keep ({ $path })
error-disk-quota = storage { $storage }: the disk quota is used up: free space or raise it ({ $path })
error-disk-permission = storage { $storage }: no permission to write here: let the worker's user own the folder ({ $path })
error-disk-read-only = storage { $storage }: the file system is read-only ({ $path })
error-disk-not-folder = storage { $storage }: a part of the path is not a folder ({ $path })
error-disk-other = storage { $storage }: the file system reports { $errno } ({ $path })

error-s3-network = storage { $storage }: { $server } can not be reached ({ $reason })
error-s3-timeout = storage { $storage }: { $server } does not answer in time
error-s3-no-bucket = storage { $storage }: bucket { $bucket } does not exist on { $server }: create it
error-s3-full = storage { $storage }: bucket { $bucket } is full ({ $reason })
error-s3-list = storage { $storage }: { $server } lists a part of the bucket and does not say how to go on
error-s3-lost = storage { $storage }: { $server } did not keep what was sent ({ $reason })
error-s3-clock = storage { $storage }: the clock of this machine is wrong ({ $reason })
error-s3-region = storage { $storage }: bucket { $bucket } is in another region ({ $reason })
error-s3-access = storage { $storage }: { $server } refuses access to bucket { $bucket } ({ $reason }): check key, secret and policy
error-s3-answer = storage { $storage }: { $server } answers "{ $reason }"

error-storage-unknown = no storage is called { $name }
error-storage-no-object = storage { $storage } has no { $object }
error-storage-key = storage { $storage }: { $object } can not be the name of an object
error-storage-no-upload = storage { $storage }: { $server } gave no upload id
error-storage-size = storage { $storage }: { $object } is not as it was written; it was removed
error-storage-reads-different = storage { $storage }: { $object } reads back different
error-storage-damaged = storage { $storage }: { $object } is damaged: its size or SHA-256 is not the manifest's
error-storage-changed = { $object } was read twice, and its beginning was not the same: nothing was replaced
error-storage-host = the storage { $storage } is on the disk of { $host }, and this worker is { $here }
error-manifest = the manifest can not be read
error-manifest-digest = the manifest is not as it was written: it was altered or damaged
error-manifest-newer = the manifest has version { $version }; this program reads versions up to { $known }: update it
error-manifest-elsewhere = the manifest in { $folder } is that of run { $run }: somebody has moved or copied it
error-manifest-differs = { $object } differs between the storages

error-timeout = the run was not finished after { $seconds } s, its timeout
error-no-copy = no sound copy of run { $run } is left to copy from
error-copy-unwanted = { $storage } would not keep this backup any more
error-cancelled = cancelled by { $by }
error-interrupted = it was interrupted before its end
error-lease-lost = another worker has taken it over
error-internal = something unexpected went wrong inside ({ $reason })
error-copy-interrupted = the worker was interrupted before this copy was complete
error-backup-gone = backup { $name } is no longer configured
error-backup-unknown = no backup is called { $name }
error-run-unknown = run { $run } is not known
error-run-not-retried = run { $run } has neither failed nor been cancelled: there is nothing to retry
error-card-unknown = { $id } is not known any more
error-card-busy = { $id } changes too fast: try again
error-run-record = run { $run } could not be recorded in Redis ({ $reason })
error-redis-silent = Redis at { $host } does not answer: start it, or make the backup with --here
error-redis-old = Redis { $version } is too old: 6.2 or newer is needed
error-env-value = the value of { $name } cannot be written into .env
