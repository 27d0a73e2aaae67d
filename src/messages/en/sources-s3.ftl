# A bucket as a source.

source-s3 = objects of a bucket
source-title-s3 = bucket { $bucket } at { $server }{ $how ->
    [changes] , new and changed objects
    [first] , everything: the first backup
    [copies] , everything: no earlier backup is whole in all storages
    [key] , everything: the key of the earlier backup is not here
    [recipients] , everything: the encryption was changed
    [damaged] , everything: the index of the earlier backup can not be read
    [age] , everything: it is time for it (fullEvery)
    [runs] , everything: the earlier backup points at too many runs
    [bucket] , everything: the earlier backup is of another bucket
    [clock] , everything: the earlier backup lies in the future
   *[other] { "" }
}

error-source-s3-network = { $server } can not be reached ({ $reason })
error-source-s3-timeout = { $server } does not answer in time
error-source-s3-no-bucket = there is no bucket { $bucket } on { $server }
error-source-s3-access = { $server } refuses access to bucket { $bucket } ({ $reason }): the key must be allowed to list it and to get its objects
error-source-s3-object = { $server } refuses to give { $object } of bucket { $bucket } ({ $reason }): allow it, or exclude it
error-source-s3-archived = { $object } in bucket { $bucket } lies in an archive class: have it restored there, or exclude it
error-source-s3-clock = the clock of this machine is wrong ({ $reason })
error-source-s3-region = bucket { $bucket } is in another region ({ $reason })
error-source-s3-keys = no valid keys for { $server } ({ $reason }): set accessKeyId and secretAccessKey, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
error-source-s3-answer = { $server } answers "{ $reason }"
error-source-s3-odd = { $server } gives { $what }
error-source-s3-restless = { $object } is replaced faster than it can be read: exclude it
error-source-s3-longer = { $object } gives more bytes than its length says
error-source-s3-empty = there is no object below { $place }: allowEmpty, if that is right

error-copy-references = { $storage } does not have run { $run }, which this backup needs: the next run reads everything again
error-s3-index = the index of the backup can not be read
error-s3-index-disk = the index can not be kept in { $path } ({ $code })
error-s3-archive = the archive of the backup can not be read
error-s3-count = the backup is not what its manifest says
error-s3-missing = the archive does not have { $object } where the index says
error-s3-target = expected s3://bucket/prefix?endpoint=https://..., without keys, or the path of a folder
error-s3-not-empty = { $place } is not empty: it has { $object }
error-s3-restore-disk = { $path } can not be written ({ $code })

remark-s3-not-written = every object was read and compared, none was written: a bucket is larger than a scratch folder
remark-s3-attributes = files have no content types and metadata: they stay in the index, a restore into a bucket has them
remark-s3-aside = { $count ->
    [one] { $count } key can be no path: its object lies in { $folder }, named by keys.jsonl
   *[other] { $count } keys can be no paths: their objects lie in { $folder }, named by keys.jsonl
}
remark-s3-nameless = the mark of the folder itself was left out: a bucket's root has none

config-problem-s3-itself = the storage { $storage } lies in the bucket that is backed up: each backup would hold those before it. Give the storage a prefix or bucket of its own, and add "{ $pattern }" to source.exclude.
