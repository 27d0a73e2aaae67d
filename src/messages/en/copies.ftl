## vakhta copy: one storage is filled from another.

cli-copy = copy backups from one storage to another: all, those of a name, or one
cli-copy-from = the storage that has them: its name in the configuration, s3://bucket/prefix?endpoint=..., file:///folder
cli-copy-to = the storage that is to have them
cli-copy-same = { $storage } cannot be filled from itself: --from and --to are the same.
cli-copy-elsewhere = the storage { $storage } is on the disk of another host: copy there.
cli-copy-phase = copying from { $from } to { $to }
cli-copy-copied = copied: { $backup }, { $size }
cli-copy-failed = not copied: { $backup }: { $reason }
cli-copy-done = { $to }: { $copied } copied, { $there } there already, { $failed } not copied, in { $duration }.
error-copy-none = { $storage } holds no backup that is meant by { $which }.
error-copy-differs = { $storage } holds another { $folder }: one of the two was altered. Nothing is replaced.
