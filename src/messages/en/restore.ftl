# The command line where there are storages and perhaps nothing else: restoring, pruning, what all of it shares.

cli-option-storage = a storage: its name in the configuration, or s3://bucket/prefix?endpoint=..., file:///folder; can be repeated
cli-option-identity = file with the private keys (AGE-SECRET-KEY-...), as keygen writes it
cli-option-yes = do not ask for the name to be typed
cli-storage-unknown = there is no storage { $storage }; there are: { $known }
cli-nobody = there is nobody at a terminal to ask: say --yes
cli-not-confirmed = { $name } was not typed: nothing was done
cli-progress = { $phase } [{ $bar }] { $percent } %, { $read } of { $total }, { $rate }
cli-progress-left = { $duration } left

cli-backups-proof = PROOF
cli-backups-failed = failed
cli-backups-flaw-incomplete = incomplete
cli-backups-flaw-damaged = damaged
cli-backups-flaw-conflict = conflict
cli-backups-flaw-chain = earlier parts missing
cli-backups-pinned = pinned

cli-backup-not-here = not done here: old backups are not removed (vakhta prune), and the chat hears of this backup when the storages are looked into next.
cli-backup-hook-failed = afterwards { $step } failed: { $reason }

cli-restore = restore a backup into an empty database, server, bucket or folder
cli-restore-to = where to: postgresql://..., redis://..., s3://..., a folder (default: the variable VAKHTA_RESTORE_TO)
cli-restore-files = give the parts as plain files into an empty folder: decrypted, unpacked
cli-restore-database = of several databases only this one, into the database that --to names
cli-restore-no-owners = leave owners, privileges and roles out
cli-restore-check = compare all stored bytes before anything is restored, however many there are
cli-restore-no-check = do not compare them beforehand, only while they are restored
cli-restore-where = say where to: --to, or the variable VAKHTA_RESTORE_TO
cli-restore-backup = backup { $backup } of { $name } ({ $kind }), { $at }
cli-restore-copy = copy: { $storage } ({ $location })
cli-restore-copy-at = copy: { $storage }
cli-restore-unsound = no copy is known to be sound: a part is missing, or a look at it has failed
cli-restore-whole = the newest other backup that is whole: { $backup } of { $name }, { $at }
cli-restore-no-databases = --database: a backup of kind { $kind } has no databases to choose from
cli-restore-copy-refused = the copy in { $storage } is not used: { $reason }
cli-restore-size = size: { $stored } stored, about { $unpacked } unpacked
cli-restore-target = into: { $to }
cli-restore-target-files = as plain files into: { $to }
cli-restore-room = free in { $folder }: { $free }
cli-restore-room-unknown = free room: not on this machine, cannot be seen from here
cli-restore-programs = programs: { $programs }
cli-restore-identity = encrypted: the identity fits
cli-restore-plain = not encrypted
cli-restore-type = Type the backup's name ({ $name }) to restore it:
cli-restore-phase-check = comparing what is stored
cli-restore-phase-restore = restoring
cli-restore-done = restored and compared: { $counted }, in { $duration }.
cli-restore-done-uncounted = restored in { $duration }. The backup has nothing to count it against.
cli-restore-differs = restored in { $duration }, and not as it was backed up: { $count ->
    [one] { $count } difference
   *[other] { $count } differences
} ({ $counted } should be there).
cli-restore-nothing-left = nothing of it is left there.
cli-restore-left = what was restored until then is left there, incomplete: { $found }
cli-restore-left-unknown = whether anything of it is left there could not be seen: { $found }
cli-restore-unaudited = no note of this could be left in { $storage }: { $reason }

cli-prune = remove what the retention does not keep, and say why the rest stays
cli-prune-dry-run = only say it
cli-prune-keep = what is kept, in place of the configuration: daily=7,monthly=4 (last, daily, weekly, monthly, yearly), or all
cli-prune-keep-missing = say what is kept: --keep daily=7,monthly=4. Without a configuration nothing is guessed.
cli-prune-keep-wrong = { $text } says not what is kept: expected { $known } with a number, such as daily=7,monthly=4
cli-prune-unknown = there are no backups of { $name } in these storages.
cli-prune-very-much = more than half of the backups of { $name } would go: that is only done when somebody at a terminal types the name
cli-prune-type = Type the backup's name ({ $name }) to remove what goes:
cli-prune-without-redis = Redis does not answer: that a worker makes a backup at this moment cannot be seen.
cli-prune-removed = { $count ->
    [one] { $count } backup
   *[other] { $count } backups
} of { $name } removed from { $storage }.

error-storage-no-folder = there is no folder { $path }: is its disk mounted?
error-identity-file = the file of identities { $file } can not be read ({ $code })
error-identity-file-content = { $file } holds no age identities (AGE-SECRET-KEY-1...), one a line
error-identity-other = the identity does not open backup { $run }: it is encrypted for { $recipients }
error-restore-no-path = what --to names is no folder: expected its path, or file:///folder
error-restore-full = there is not enough room for the backup in { $path }
error-restore-folder-partial = { $path } is not empty: it holds { $file }, as an interrupted restore leaves it
error-restore-connection = the server to restore to lets nobody in, or does not answer: { $reason }
error-restore-no-folder = { $path } is no folder that can be restored into ({ $code })
error-restore-unseen = { $names } could not be looked into: a newer backup may be there, and { $id } is only the newest of the others. Say this id to take it all the same, or name the storages with --storage.
error-restore-manifests = the manifests of { $folder } differ between { $names }: one of them was altered. Name the storage to trust with --storage.
error-restore-kind = this version cannot restore backups of kind { $kind }: take its parts as files with --files
error-restore-room = the restore needs about { NUMBER($needed) } MiB in { $folder }, and { NUMBER($free) } MiB are free
error-lease-file = { $name } in { $storage } is being worked on ({ $work } on { $host }); without a sign of life it is free after { $until }
error-prune-unreadable = nothing is removed from { $storage }: { $object } makes no sense or is of a newer version, and may need what would go
error-prune-anomaly = nothing of { $name } is removed: { $backup } is far smaller than those before it
error-prune-changed = { $backup } has to stay by now: nothing was removed
error-prune-busy = a worker works on { $name } at this moment: try again when it is done
