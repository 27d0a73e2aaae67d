error-s3-archived = storage { $storage }: { $object } is archived ({ $reason }): have it restored first (aws s3api restore-object); it can be read some hours later
error-s3-class = storage { $storage }: { $server } does not have this storage class: change storageClass or storageClasses
error-s3-kms = storage { $storage }: { $server } can not use the KMS key ({ $reason }): check kmsKeyId and the rights to it
error-s3-locked = storage { $storage }: { $object } is locked: it can be removed when its lock has ended
error-s3-no-lock = storage { $storage }: bucket { $bucket } was made without object lock: make one with it, or leave objectLock out
error-s3-keys = storage { $storage }: no valid keys for { $server } ({ $reason }): set accessKeyId and secretAccessKey, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY

error-storage-parts = storage { $storage }: { $server } takes { $parts } parts of an object, and this one needs more: set a larger partSize
error-storage-class = storage { $storage }: { $object } did not arrive whole in class { $storageClass }
error-storage-no-room = storage { $storage }: { $needed } are needed, { $free } are free, and { $reserve } stay free (minFree): free space or shorten keep ({ $path })
error-storage-room-gone = storage { $storage }: only { $free } are free, and { $reserve } stay free (minFree): free space or shorten keep ({ $path })

error-storage-url = { $url } is not the address of a storage: s3://bucket/prefix or file:///folder
error-storage-url-keys = an address of a storage holds no keys, since others can read it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
error-storage-url-option = { $option } is unknown in the address of a storage; known are { $known }
error-storage-url-value = { $option } in the address of a storage is not valid

config-problem-storage-class = must be the name of a storage class, as STANDARD_IA.
config-problem-archive-class = must not be an archive: new backups are read back and proven. Use storageClasses for older ones.
config-problem-lock-time = must be from "1h" to "36500d".
config-problem-bandwidth = must be at least "64KiB" per second.
config-problem-s3-keys = set both accessKeyId and secretAccessKey, or neither.
config-problem-kms = needs serverSideEncryption: aws:kms.
config-problem-min-free = must be a size or a part of the disk, as "10GiB" or "5%".
