# /backup: the dialog and the card.

source-postgres = PostgreSQL dump with roles
source-title-postgres = PostgreSQL { $version }, database { $database }

backup-none-configured = No backup is configured yet. <code>vakhta.example.yaml</code> shows how.
backup-no-such = No backup is called <b>{ $name }</b>. There are: { $names }
backup-choose = <b>What shall I back up?</b>
backup-gone = ⚠️ <b>{ $name }</b> is no longer configured, so nothing was started.
backup-choice-gone = ⚠️ What that button stood for is no longer configured.
backup-choice = <b>{ $name }</b>: { $last }
backup-last = { $age } ago, { $size }
backup-last-none = never
backup-last-unknown = not known yet
backup-plan = <b>Back up { $name } now?</b>
    { $kind }
backup-plan-to = → <b>{ $storage }</b> <code>{ $location }</code>
backup-plan-encrypted = 🔒 encrypted to { $recipients ->
    [one] { $recipients } key
   *[other] { $recipients } keys
}
backup-plan-last = Last backup: { $last }
backup-plan-next = Next by schedule: { $next }
backup-plan-active = ⚠️ Run <code>{ $run }</code> is under way; this one would start after it.

backup-title-queued = 🕓 <b>Backup { $name }</b> is waiting
backup-title-running = ⏳ <b>Backup { $name }</b> is running
backup-title-succeeded = ✅ <b>Backup { $name }</b> is done
backup-title-degraded = ⚠️ <b>Backup { $name }</b> is done, but a copy is missing
backup-title-failed = ❌ <b>Backup { $name }</b> failed
backup-title-cancelled = 🚫 <b>Backup { $name }</b> was cancelled

phase-waiting = waiting
phase-preflight = looking at source and storages
phase-dump = dumping, compressing, uploading
phase-finish = completing and reading back
phase-manifest = writing the manifest

backup-waiting = Waiting for a worker.
backup-no-worker = 🔴 No worker is running: start one.
backup-no-worker-on = 🔴 No worker is running on <code>{ $host }</code>: start one there.
backup-waits-for-restore = Waiting for restore <code>{ $restoration }</code> to exchange what would be backed up.
backup-waits-for = Waiting for run <code>{ $run }</code> of the same backup to end.
backup-interrupted-waiting = The worker was stopped while { $phase }. A worker will start again.
backup-phase = Phase: { $phase }
backup-read = Read: { $read } at { $rate }
backup-read-of = Read: { $read } of about { $expected } at { $rate }
backup-written = Written: { $bytes } at { $rate }
backup-elapsed = Elapsed: { $duration }
backup-attempt = Attempt { $attempt }: a worker was interrupted while { $phase }; what it had left was removed.
backup-cancelling = { $by } cancels it; cleaning up…
backup-cancelled = Cancelled by { $by }.
backup-nothing-kept = Nothing was kept of this run; earlier backups are untouched.
backup-leftovers = No backup came of this run; earlier ones are untouched. Unfinished pieces of it may still be in { $storages }: they are removed as soon as that can be reached.
backup-retried = Retried by { $by }: run <code>{ $run }</code>

backup-size = Size: <b>{ $size }</b>
backup-size-ratio = Size: <b>{ $size }</b>, from { $raw } (1 : { $ratio })
backup-sha256 = SHA-256: <code>{ $sha256 }</code>…
backup-rows = Counted: { $rows ->
    [one] { $rowsText } row
   *[other] { $rowsText } rows
} in { $tables ->
    [one] { $tables } table
   *[other] { $tables } tables
}
backup-copy-stored = ✓ <b>{ $storage }</b> <code>{ $location }</code>
backup-copy-retrying = ↻ <b>{ $storage }</b> <code>{ $location }</code>: { $reason }. The upload is being tried again from the copy that is there.
backup-copy-retrying-in = ↻ <b>{ $storage }</b> <code>{ $location }</code>: { $reason }. Attempt { $tries } of the upload failed; the next is in { $wait }.
backup-copy-missing = ✗ <b>{ $storage }</b> <code>{ $location }</code>: { $reason }. Given up; this copy is missing.
backup-folder = Folder: <code>{ $folder }</code>
backup-took = Took { $duration }
backup-took-encrypted = Took { $duration }, encrypted with age 🔒

backup-failed-step = Step: <b>{ $step }</b>
backup-failed-reason = { $reason }
backup-stderr = <pre>{ $stderr }</pre>
advice-tool-missing = What to do: install what is named above on the worker's host, then Retry.
advice-tool-too-old = What to do: install the newer client on the worker's host, then Retry.
advice-tool-failed = What to do: mend what the lines above name, then Retry.
advice-source-unreachable = What to do: see that the database is up and that the worker can reach it, then Retry.
advice-source-refused = What to do: check user, password and database name in the <code>url</code>, and the server's <code>pg_hba.conf</code>, then Retry.
advice-source-failed = What to do: mend what is named above, then Retry.
advice-storage-unreachable = What to do: see that the storage is up and that the worker can reach it, then Retry.
advice-storage-refused = What to do: check the bucket, the keys and their rights, then Retry.
advice-storage-full = What to do: make room on the storage, then Retry.
advice-storage-mismatch = What to do: the storage did not keep what was written to it; check it before you Retry.
advice-encryption = What to do: check the recipients in the configuration, then Retry.
advice-timeout = What to do: find out what made it slow, or raise <code>timeout</code> of this backup, then Retry.
advice-other = What to do: the worker's log has the details; Retry when it is mended.

backup-source = { $source }
backup-by-person = Asked for by { $by }, { $created }
backup-by-schedule = By schedule, { $due }
backup-by-catch-up = Was due { $due } and missed; made up for { $created }
backup-missed = { $missed ->
    [one] { $missed } earlier time was missed
   *[other] { $missed } earlier times were missed
}
backup-by-retry = Retry of <code>{ $run }</code> by { $by }, { $created }
backup-by-cli = From the command line, { $created }
backup-by-before-restore = 📌 What was live right before restore <code>{ $restoration }</code> ({ $by }), { $created }; kept for as long as that can be undone
backup-by-before-undo = 📌 What was live right before restore <code>{ $restoration }</code> was taken back ({ $by }), { $created }
backup-run = Run <code>{ $run }</code>
