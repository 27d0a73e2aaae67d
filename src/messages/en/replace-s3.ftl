# Restoring into a bucket: in place, where it keeps versions, or below another prefix of it.

replace-obstacle-s3-never = bucket { $bucket } keeps no versions: what is written over could not be brought back. Turn versioning on, or restore below another prefix
replace-obstacle-s3-suspended = versioning of bucket { $bucket } is suspended: what is written over could not be brought back. Turn it on, or restore below another prefix
replace-obstacle-s3-unknown = the key may not see whether bucket { $bucket } keeps versions: allow it s3:GetBucketVersioning, or set source.restore to a key that may
replace-obstacle-s3-write = the key may not write into bucket { $bucket } at { $server } ({ $reason }): set source.restore to one that may put and delete objects
replace-obstacle-s3-list-versions = the key may not list the versions of bucket { $bucket } at { $server } ({ $reason }): set source.restore to one that may list, get and put them
replace-obstacle-s3-busy = another restore is at work in this bucket, or was killed at it. If there is none any more, delete { $object }
replace-obstacle-s3-other = the backup is of { $other }, what is live is { $place }
replace-obstacle-s3-nothing = the backup has no object below { $place }

replace-remark-s3-one-by-one = objects are written and removed one by one: for as long as that takes, old and new ones are there together
replace-remark-s3-versions = what is written over or removed stays as older versions, until the bucket's own rules remove it
replace-remark-s3-bare = tags, access lists and storage classes are not in the backup: objects that are written over lose theirs
replace-remark-s3-dates = the backup was not read: what will be lost is told by the dates of the objects
replace-remark-s3-lifecycle = the bucket's rules remove older versions after { $days ->
    [one] { $days } day
   *[other] { $days } days
}: it can be taken back until then
replace-remark-s3-lock = the bucket locks its objects: what is written can not be deleted for good before its time is over
replace-remark-s3-inside = the next backup of the bucket would have it too: add "{ $pattern }" to source.exclude, or delete it before

remark-s3-replace = { $write } to write, { $remove } to remove, { $same } as in the backup already

error-source-s3-write = { $server } refuses to write into bucket { $bucket } ({ $reason }): the key must be allowed to put and delete objects (source.restore)
error-replace-s3-versions = bucket { $bucket } at { $server } keeps no versions (any more): what is written over would be lost. Turn versioning on
error-replace-s3-read-versions = the key may write into bucket { $bucket } at { $server }, and not bring back older versions: what is written over could not be undone. Allow it s3:GetObjectVersion, or set source.restore to a key that may
error-replace-s3-changed = { $place } is not what was to be restored: the configuration was changed since
error-replace-s3-over = { $place } was replaced already by this restore
error-replace-s3-not-prepared = nothing is prepared, exactly as the backup says, to take the place of { $place }
error-replace-s3-no-before = { $place } was not replaced by this restore: there is nothing to go back to
error-replace-s3-succeeded = { $place } was replaced by another restore since: take that one back first
error-replace-s3-not-quiet = { $place } does not become as the backup, since others write to it: { $count ->
    [one] { $count } object is
   *[other] { $count } objects are
} different, { $object } for one. Stop what writes to it
error-replace-s3-put-back = { $place } could not be replaced ({ $reason }): everything is as it was before
error-replace-s3-half = { $place } could not be replaced ({ $reason }), and is in between: it will be brought back as soon as that can be done
error-replace-s3-expired = { $count ->
    [one] { $count } former version in { $place } was
   *[other] { $count } former versions in { $place } were
} removed since by the bucket's rules: nothing was brought back. Restore the backup that was made before
error-replace-s3-restless = { $place } is written to faster than it can be brought back: stop what writes to it
error-replace-s3-gone = the former version of { $object } is not there any more
error-replace-s3-to = expected a folder in the bucket, such as restored-20260301-0300/
