# Verifications: the card, /verify, the watch, doctor and the command line.

command-verify = Prove that a backup can be restored

depth-stored = bytes read back
depth-readable = read whole
depth-restored = test-restored and counted
verify-depth-stored-text = every stored byte is read back and compared by SHA-256
verify-depth-readable-text = it is decrypted, unpacked and read to its end by the tools of its kind
verify-depth-restored-text = it is restored into a scratch place, counted against the manifest and removed again

verify-title-queued = 🕓 <b>Verification of { $name }</b> is waiting
verify-title-running = 🔎 <b>{ $name } is being verified</b>
verify-title-passed = ✅ <b>Backup of { $name } holds</b>
verify-title-shallow = ⚠️ <b>Backup of { $name } holds</b>, but it could not be looked at as deep as wanted
verify-title-failed = ❌ <b>Backup of { $name } does not hold</b>
verify-title-unknown = ⚠️ <b>Backup of { $name } could not be verified</b>
verify-title-cancelled = 🚫 <b>Verification of { $name }</b> was cancelled

verify-phase-waiting = waiting
verify-phase-preflight = reading the manifest
verify-phase-stored = reading every byte back
verify-phase-readable = decrypting, unpacking, reading to the end
verify-phase-restored = restoring into a scratch place
verify-phase-record = writing the proof

verify-backup-plain = Backup of { $at }
verify-copy = Copy in <b>{ $storage }</b> <code>{ $location }</code>
verify-wanted = To be proven: { $depth }
verify-waits = Waiting for verification <code>{ $verification }</code> of the same copy to end.
verify-waiting = Waiting for a worker.
verify-phase = Phase: { $phase }
verify-progress = Read: { $read } of { $total } ({ $percent } %)
verify-elapsed = Elapsed: { $duration }
verify-attempt = Attempt { $attempt }: a worker was interrupted while { $phase }; what it had left was removed.
verify-cancelling = { $by } cancels it; cleaning up…
verify-cancelled = Cancelled by { $by }. Nothing was found out, and nothing is left behind.

verify-restored-rows = Restored and counted: { $rowsText } { $rows ->
    [one] row
   *[other] rows
} in { $tablesText } { $tables ->
    [one] table
   *[other] tables
}, as backed up.
verify-restored-keys = Restored and counted: { $countText } { $count ->
    [one] key
   *[other] keys
}, as backed up.
verify-restored-entries = Restored and counted: { $countText } { $count ->
    [one] entry
   *[other] entries
}, as backed up.
verify-restored-objects = Restored and counted: { $countText } { $count ->
    [one] object
   *[other] objects
}, as backed up.
verify-restored-uncounted = Restored to the end. There is nothing to count it against.
verify-restore-took = Restore took { $duration }.
verify-readable-ok = Read whole: every part was { $encrypted ->
    [yes] decrypted, unpacked
   *[no] unpacked
} and read to its end, and every byte is the one that was written.
verify-stored-ok = Every stored byte was read back and is the one that was written ({ $size }).
verify-took = The verification took { $duration }.
verify-not-deeper = Wanted was: { $depth }. { $reason }
verify-because-identity = The backup is encrypted and no identity is configured here, so only its stored bytes can be proven: set <code>encryption.identity</code> for the worker, or verify where the key is: vakhta verify.
verify-because-kind = This version does not know the source kind { $kind }: update it.
verify-because-no-test = Backups of this kind cannot be test-restored.
verify-because-command = Only a program knows how to restore it: name one as <code>source.testRestore</code>.
verify-remark = ℹ️ { $remark }

verify-differences = <b>{ $countText } { $count ->
    [one] difference
   *[other] differences
}</b> from what was backed up:
verify-difference = • <code>{ $what }</code>: { $expected } backed up, { $found } restored
verify-differences-more = … and { $count } more
verify-reason = { $reason }
verify-reason-differences = The restored backup differs from what was backed up: { $count ->
    [one] { $count } difference
   *[other] { $count } differences
}
verify-do-damaged = What to do: this copy cannot be relied on. Use another copy or an older backup, make a new backup now (/backup), and look after the storage.
verify-do-differs = What to do: do not rely on this backup. Make a new one now (/backup) and verify it; if that differs too, look at the source.
verify-do-key = What to do: the key that is configured does not open this backup. Find the identity that belongs to its recipients; without it nobody can restore it.
verify-do-elsewhere = What to do: mend what is named above, then verify again. Nothing is said against the backup.
verify-unrecorded = ⚠️ The proof could not be written beside the backup: { $reason }
verify-again-by = Verified again by { $by }: <code>{ $verification }</code>
verify-stderr = <pre>{ $stderr }</pre>
verify-by-person = Asked for by { $by }, { $created }
verify-by-schedule = By schedule, { $due }
verify-by-copy = Because another copy could not be made from this one, { $created }
verify-id = Verification <code>{ $verification }</code>
verify-document-title = Differences found in the backup of { $name } made at { $at }
verify-document-line = { $what }: { $expected } backed up, { $found } restored

button-verify = Verify
button-verify-again = Verify again
toast-verifying = The verification has been ordered.

backup-proof = 🔎 Proven { $at } in <b>{ $storage }</b>: { $depth }
backup-proof-restore = 🔎 Proven { $at } in <b>{ $storage }</b>: { $depth }; the restore took { $duration }
backup-proof-failed = ❌ Did not hold { $at } in <b>{ $storage }</b>: { $reason }

verify-choose = <b>Which backup shall be verified?</b>
verify-choose-backup = <b>{ $name }</b>: which of its backups?
verify-choose-backup-one =
    <b>{ $name }</b>
    { $line }
verify-choose-more = { $name }: { $proof }
verify-choose-none = ▫️ <b>{ $name }</b> has no backup that could be verified.
verify-none-configured = No backup is configured yet.
verify-no-such = No backup is called <b>{ $name }</b>. There are: { $names }
verify-no-such-id = <b>{ $name }</b> has no backup with the id <code>{ $backup }</code>.
verify-line = { $mark } { $at }, { $size } – { $proof }
verify-proof-none = not proven yet
verify-proof-ok = { $depth }, { $age } ago
verify-proof-bad = did not hold, { $age } ago
verify-choose-depth = How deep?
verify-line-depth = <b>{ $depth }</b>: { $text }
verify-cost = It reads { $size } from <b>{ $storage }</b>.
verify-cost-restore = A test-restore takes about { $duration }, as measured.
verify-ordered = The verification has been ordered.
button-depth-stored = Read back
button-depth-readable = Read whole
button-depth-restored = Test-restore

watch-proof = The backup of { $name } made at { $at } does not hold ({ $storage })
watch-proof-text =
    { $reason }
    This copy cannot be relied on: { $folder }
    Make a new backup now: /backup { $name }, verify it: /verify { $name }, and look after the storage. It is over when a later verification of this copy is good, or when the copy is gone.
watch-unverified = The backups of { $name } in { $storage } could not be verified
watch-unverified-text =
    { $reason }
    That was the backup of { $at }. Nothing is said against it, but nobody knows whether it can be restored. Mend what is named and verify it again: it is over with the next verification of this name that can be carried out.

error-verification-unknown = Verification { $verification } is not known any more.
error-verification-record = Verification { $verification } could not be recorded in Redis: { $reason }
error-verification-running = This verification has not ended yet.
error-verify-no-copy = No configured storage holds a copy of backup { $backup } any more.
error-verify-gone = The copy in { $storage } is gone: there is no manifest in { $folder } any more.
error-verify-given-up = The worker has ended { $attempts } times in the middle of it, so it is not tried again. Its log and that of the system (out of memory?) tell why.
error-manifest-altered = { $storage }: { $object } is not the manifest that was written.
error-scratch-full = A test-restore needs about { NUMBER($needed) } MiB in { $folder }, and { NUMBER($free) } MiB are free there. Free space, or set TMPDIR to a larger disk for the worker.
error-scratch-filled = The disk of { $folder } became full during a test-restore. Free space, or set TMPDIR to a larger disk for the worker.

check-key = key for backups in
doctor-key-ok = opens the newest encrypted backup there, { $backup }.
doctor-key-ok-both = opens the newest encrypted backup there, { $backup }, and the oldest, { $oldest }.
doctor-key-none = there is no encrypted backup there yet to try it on.
doctor-key-untried = could not be tried: the storage cannot be read.
doctor-key-locked = the identity does not open { $backup }: { $reason } If it is another one or lost, find the identity of that backup's recipients: without it nobody can restore it.
doctor-key-unreadable = whether the identity opens { $backup } could not be tried: { $reason }

cli-verify = prove that a backup can be restored: its id, or a name for its newest one
cli-verify-depth = stored, readable or restored
cli-verify-unknown = there is no backup { $which } in these storages.
cli-verify-depth-unknown = there is no depth { $depth }: stored, readable, restored.
cli-verify-looking = backup { $backup } of { $name }, { $at }, { $size }, copy in { $storage }
cli-verify-stored = every stored byte was read back and is the one that was written ({ $size }).
cli-verify-readable = read whole: every part was unpacked and read to its end.
cli-verify-restored = restored and compared: { $counted }. The restore took { $duration }.
cli-verify-uncounted = nothing to count it against
cli-verify-not-deeper = wanted was: { $depth }. { $reason }
cli-verify-difference = { $what }: { $expected } backed up, { $found } restored
cli-verify-failed = the backup does not hold: { $reason }
cli-verify-unrecorded = the proof could not be written into { $storage }: { $reason }
