# /restore: the dialog, the card of a restore, what is asked below them.

command-restore = Bring a backup back

restore-ask-none-configured = No backup is configured yet. <code>vakhta.example.yaml</code> shows how.
restore-ask-no-such = No backup is called <b>{ $name }</b>. There are: { $names }
restore-ask-name = <b>What is to be brought back?</b>
restore-ask-name-line = <b>{ $name }</b>: last good { $last }
restore-ask-backup = <b>{ $name }: which backup?</b> Newest first:
restore-ask-backup-line = { $number }. { $mark } { $at } ({ $age } ago) · { $size } · { $copies }
restore-ask-backup-bad = { $number }. ❌ { $at } ({ $age } ago): { $reason }
restore-ask-marks = ✅ test-restored · ☑️ looked at · ▫️ not proven · ❌ damaged or incomplete
restore-ask-page = page { $page } of { $pages }
restore-ask-none = There is no backup of <b>{ $name }</b> in the storages.
restore-ask-none-yet = No backup of <b>{ $name }</b> is known yet: its storages may not have been looked at. /backups { $name } shows how they stand.
restore-ask-gone = ⚠️ That backup is not there any more: choose another one.
restore-ask-no-run = ⚠️ <code>{ $said }</code> is neither a backup of { $name } nor a time. Write a time so: { $example }
restore-ask-damaged = a copy did not hold
restore-ask-incomplete = a part is missing
restore-ask-conflict = its manifests differ
restore-ask-chain = what it needs of earlier backups is damaged or gone
restore-ask-moment = Before which moment? The newest good backup that was finished before it is taken. { $zone } time, for example { $example }
restore-ask-moment-question = <a href="tg://user?id={ $user }">{ $person }</a>, reply to this message with the time: <code>14:30</code>, <code>yesterday 14:30</code> or <code>{ $example }</code> ({ $zone }).
restore-ask-moment-here = 14:30
restore-ask-moment-unreadable = ⚠️ I cannot read <code>{ $said }</code> as a time. Write it so: <code>14:30</code>, <code>yesterday 14:30</code> or <code>{ $example }</code>
restore-ask-moment-no-time = ⚠️ <code>{ $said }</code> lacks the time of the day. Write it so: <code>yesterday 14:30</code> or <code>{ $example }</code>
restore-ask-moment-future = ⚠️ <code>{ $said }</code> is still to come. Write it so: <code>14:30</code>, <code>yesterday 14:30</code> or <code>{ $example }</code>
restore-ask-moment-none = ⚠️ No good backup of { $name } was finished before { $at }. Choose one of those that there are:
restore-ask-moment-skipped = The clocks were put forward over the time that you wrote; taken is the moment at which that happened.
restore-ask-moment-twice = The clocks showed that time twice; taken is the first of the two.
restore-ask-before = The newest good one finished before <b>{ $at }</b>.
restore-ask-passed-over = { $count ->
    [one] { $count } newer one was passed over: damaged or incomplete.
   *[other] { $count } newer ones were passed over: damaged or incomplete.
}
restore-ask-unproven = ▫️ Nobody has looked at it yet. The newest proven one before that is of { $at }.
restore-ask-unproven-only = ▫️ Nobody has looked at it yet, and no earlier one is proven either.
restore-ask-chosen = <b>{ $name }</b>, backup of <b>{ $at }</b> ({ $age } ago)
restore-ask-chosen-more = { $mark } { $proof } · { $size } · { $copies }
restore-ask-chosen-bad = ❌ Every known copy of it is damaged or incomplete ({ $reason }): it may not be possible to restore it.
restore-ask-database = <b>Which database?</b> One at a time.
restore-ask-where = <b>Where to?</b> Nothing is changed yet: first I look, then I show what would happen.
restore-ask-where-in-place = <b>In place</b>: made beside, compared, then put in the place of what is live. Takes approvals; can be undone for a while.
restore-ask-where-beside = <b>{ $beside }</b>: next to what is live, which is not touched.
restore-ask-where-part = <b>A part</b>: only { $part }.
restore-ask-where-download = <b>Download</b>: the files themselves, as links.
restore-ask-not = <i>Not possible here: { $reason }</i>
restore-ask-no-link-local = no download link, since its copies are only on workers' own disks
restore-ask-no-link-private = download links are only given in a private chat: write to me directly
restore-ask-no-link-role = download links are for admins
restore-ask-pick-schema = Which schema or table? As <code>schema</code> or <code>schema.table</code>. It is restored next to what is live.
restore-ask-pick-path = Which file or folder? A path as in the configuration, or one below it.
restore-ask-pick-prefix = Which keys? Write how their names begin.
restore-ask-pick-question = <a href="tg://user?id={ $user }">{ $person }</a>, reply to this message: which part of { $name }?
restore-ask-pick-here-schema = public.orders
restore-ask-pick-here-path = /srv/app/uploads
restore-ask-pick-here-prefix = uploads/2026/
restore-ask-to-path = Where to? The absolute path of a folder that is not there yet. Without one I name it myself.
restore-ask-to-prefix = Where to? A prefix of the bucket that is not there yet. Without one I name it myself.
restore-ask-to-database = Into which new database? A name that is not taken yet. Without one I name it myself.
restore-ask-to-schema = Into which new schema? A name that is not taken yet. Without one I name it myself.
restore-ask-to-question = <a href="tg://user?id={ $user }">{ $person }</a>, reply to this message: what is it to be called?
restore-ask-to-here = { $name }
restore-ask-empty = ⚠️ That was empty, or longer than { $limit } characters.
restore-ask-late = ⏳ Your answer reached me { $waited } after you had sent it, so I have not taken it. Is it still wanted?
restore-ask-over = ⌛ That question is over. { $command } asks again.
restore-ask-continued = ⤵ Goes on below.
restore-ask-linked = ⬇ The links come in a moment.
restore-ask-failed = ❌ Not ordered: { $reason }
restore-part-schema = one schema or table
restore-part-path = one file or folder
restore-part-prefix = what begins alike
restore-beside-postgres = New database
restore-beside-files = New folder
restore-beside-s3 = New prefix
restore-beside-other = Beside

button-restore = ⏮ Restore
button-restore-before = 🕑 Before a time…
button-restore-in-place = In place
button-restore-part = A part…
button-restore-download = ⬇ Download
button-restore-proven = Take that of { $at }
button-restore-named = Name it for me
button-restore-other = Another backup
button-restore-again = Look again
button-restore-without = Without a backup before
button-restore-method = Instead: { $method }
button-restore-undo = ↩ Undo
button-restore-keep = Drop the old one now
button-restore-keep-undone = Drop what was restored
button-restore-keep-yes = Drop it for good

restore-method-beside = made beside, exchanged by name
restore-method-single-transaction = all in one transaction
restore-method-replica = through a replica
restore-method-versions = object by object, versions kept

restore-card-title-looking = 🔎 <b>Restore of { $name }</b>: looking
restore-card-title-refused = ⛔ <b>Restore of { $name }</b>: not possible like this
restore-card-title-ready = ⚠️ <b>Restore { $name }?</b>
restore-card-title-asked = 🔐 <b>Restore of { $name }</b>: to be approved
restore-card-title-running = ⏳ <b>Restore of { $name }</b> is under way
restore-card-title-done = ✅ <b>{ $name } is restored</b>
restore-card-title-done-beside = ✅ <b>{ $name } is restored beside</b> what is live
restore-card-title-undoing = ↩️ <b>{ $name }</b>: being taken back
restore-card-title-undone = ↩️ <b>{ $name }</b>: the restore was taken back
restore-card-title-failed = ❌ <b>Restore of { $name }</b> failed
restore-card-title-cancelled = 🚫 <b>Restore of { $name }</b> was cancelled
restore-card-title-expired = ⌛ <b>Restore of { $name }</b>: expired
restore-card-old = Restore of { $name } ({ $id })

restore-card-backup = Backup of <b>{ $at }</b>, { $age } old
restore-card-part = Only <b>{ $pick }</b>
restore-card-replaces = → in the place of <b>{ $target }</b>{ $server }
restore-card-beside = → beside what is live, as <b>{ $target }</b>{ $server }
restore-card-beside-unnamed = → beside what is live
restore-card-in-place = → in the place of what is live
restore-card-on = , { $server }
restore-card-looking = I look at the backup and at what is live. Nothing is changed.
restore-card-obstacles = <b>What stands in the way</b>
restore-card-bullet = • { $text }
restore-card-more = … and { $count } more
restore-card-refused-do = Mend what is named above, then press Look again.
restore-card-look-failed = It could not be looked at: { $reason }
restore-card-look-do = What to do: mend what is named above, then press Look again.

restore-card-lost = <b>⚠ Will be lost</b>: everything written in the last { $age }.
restore-card-lost-then = <b>Was lost</b>: everything written between the backup and { $at }.
restore-card-lost-other-system = The backup is of another server, or this one was set up anew: what is live has nothing to do with it.
restore-card-lost-seen = { $exact ->
    [yes] More than in the backup, counted:
   *[no] More than in the backup, an estimate:
}
restore-card-lost-none = What is counted is not more than in the backup; what was altered is not seen by counting.
restore-card-lost-line = • <b>{ $what }</b>: +{ $more } ({ $live } now, { $backup } in the backup)
restore-card-lost-line-then = • <b>{ $what }</b>: +{ $more } ({ $live } before, { $backup } in the backup)
restore-card-lost-new = • <b>{ $what }</b>: { $live }
restore-card-rows = { $count ->
    [one] { $countText } row
   *[other] { $countText } rows
}
restore-card-keys = { $count ->
    [one] { $countText } key
   *[other] { $countText } keys
}
restore-card-files = { $count ->
    [one] { $countText } file
   *[other] { $countText } files
}
restore-card-objects = { $count ->
    [one] { $countText } object
   *[other] { $countText } objects
}

restore-card-takes = ⏱ Takes about <b>{ $total }</b>, { $backup } of it for the backup made before; by { $measured ->
    [one] { $measured } measured restore
   *[other] { $measured } measured restores
}
restore-card-takes-plain = ⏱ Takes about <b>{ $total }</b>; by { $measured ->
    [one] { $measured } measured restore
   *[other] { $measured } measured restores
}
restore-card-takes-sized = ⏱ Takes about <b>{ $total }</b>; by its size, since this one was never measured
restore-card-takes-unknown = ⏱ How long it takes is not known: no restore was ever measured.
restore-card-sessions = 🔌 { $count ->
    [one] { $count } connection will be ended: { $who }
   *[other] { $count } connections will be ended: { $who }
}
restore-card-sessions-none = 🔌 Nobody is connected now.
restore-card-back-kept = ↩ What is live now is kept aside: Undo brings it back.
restore-card-back-kept-for = ↩ What is live now is kept aside for { $duration }: until then Undo brings it back.
restore-card-back-former = ↩ The way back is the backup that is made right before.
restore-card-back-former-for = ↩ The way back is the backup that is made right before: Undo restores it, for { $duration }.
restore-card-back-versions = ↩ The store keeps what was there: Undo brings it back.
restore-card-back-versions-for = ↩ The store keeps what was there: Undo brings it back, for { $duration }.
restore-card-back-none = ‼️ <b>No way back</b>: what is live now is not backed up before, and nothing of it is kept. Once it is replaced it is gone.
restore-card-no-former = ⚠️ <b>Without a backup before</b>: what is live now is not backed up before it is replaced; what is kept of it is the only way back.
restore-card-proof = ✅ Proven: { $depth }, { $at }
restore-card-unproven = ▫️ <b>Not proven</b>: nobody has looked at this copy yet.
restore-card-copy = Read from <b>{ $storage }</b> <code>{ $location }</code>
restore-card-passed = Not from { $storage }: { $reason }
restore-card-remark = ℹ️ { $text }
restore-card-details = <blockquote expandable>{ $text }</blockquote>
restore-card-detail-size = Size: { $size }, unpacked { $unpacked }
restore-card-detail-room-live = { "" } beside { $live }
restore-card-detail-room = Disk: { $free } free, { $needed } needed{ $beside }
restore-card-detail-room-unknown = Disk: { $needed } needed{ $beside }; what is free can not be seen from here
restore-card-detail-versions = Versions: { $versions }
restore-card-detail-roles = Roles: all that the backup needs are there
restore-card-detail-roles-missing = Roles that are missing: { $list }
restore-card-detail-roles-unknown = Roles: not looked at
restore-card-detail-extensions = Extensions: all that the backup needs are there
restore-card-detail-extensions-missing = Extensions that are missing: { $list }
restore-card-detail-extensions-other = Extensions of another version: { $list }
restore-card-detail-method-only = How: { $method }
restore-card-detail-method = How: { $method }, { $jobs ->
    [one] { $jobs } connection
   *[other] { $jobs } connections
}
restore-card-detail-host = Worker: { $host }, looked at { $at }
restore-card-ready = Nothing has been changed yet. Confirm asks for the approvals.
restore-card-until = Expires: { $at }

restore-card-asked = It goes on in the card of approval <code>{ $approval }</code>: type the name there, then it is approved. Nothing has been changed yet.
restore-card-phase-waiting = waits for a worker
restore-card-phase-preflight = look once more
restore-card-phase-check = check the copy
restore-card-phase-backup = back up what is live, and pin it
restore-card-phase-restore = restore beside, compare
restore-card-phase-restore-beside = restore, compare
restore-card-phase-stop = stop the services
restore-card-phase-swap = exchange
restore-card-phase-start = start the services
restore-card-phase-record = check and record
restore-card-step-done = ✓ { $phase }
restore-card-step-now = ▶ <b>{ $phase }</b>
restore-card-step-next = ▫ { $phase }
restore-card-progress = Read: { $read } of { $total } ({ $percent } %)
restore-card-steps-tables = Tables: { $done } of { $of }
restore-card-steps-rows = Rows: { $done } of { $of }
restore-card-steps-keys = Keys: { $done } of { $of }
restore-card-steps-files = Files: { $done } of { $of }
restore-card-steps-objects = Objects: { $done } of { $of }
restore-card-elapsed = Elapsed: { $duration }
restore-card-elapsed-left = Elapsed: { $duration }, about { $left } to go
restore-card-elapsed-longer = Elapsed: { $duration }, longer than the { $estimate } that were estimated
restore-card-attempt = A worker was lost at “{ $phase }”. Attempt { $attempt } goes on.
restore-card-attempt-nothing = A worker was lost at “{ $phase }”: nothing had been done on the target. Attempt { $attempt } begins again.
restore-card-attempt-rolled-back = A worker was lost at “{ $phase }”: what was half made was removed. Attempt { $attempt } begins again.
restore-card-attempt-prepared = A worker was lost at “{ $phase }”: what was ready beside is used. Attempt { $attempt } goes on.
restore-card-attempt-swapped = A worker was lost at “{ $phase }”: the exchange had been made. Attempt { $attempt } finishes.
restore-card-attempt-undone = A worker was lost at “{ $phase }”: the old one was live again. Attempt { $attempt } finishes.
restore-card-waits-run = ⏸ Waits for backup run <code>{ $run }</code> to end before anything is stopped: it would be cut off. Its own card cancels it.
restore-card-waits-other = ⏸ Waits for other work on the backups of { $name } to end before anything is stopped.
restore-card-cancelling = { $by } cancels it; cleaning up…
restore-card-no-cancel = From here on it is finished: it cannot be cancelled any more, only undone afterwards.

restore-card-compared = Restored and compared with the backup: { $counted }
restore-card-compared-none = Restored to the end. There is nothing to count it against.
restore-card-counted-tables = { $rowsText } { $rows ->
    [one] row
   *[other] rows
} in { $tablesText } { $tables ->
    [one] table
   *[other] tables
}
restore-card-rto = RTO: <b>{ $duration }</b>, from the beginning until it was live; { $restore } of it for restoring
restore-card-rto-beside = Took { $duration }
restore-card-away-ms = 🔌 While it was exchanged it could not be read for { $refused }
restore-card-refused-ms = 🔌 { $sessions ->
    [one] { $sessions } connection was ended; connections were refused for { $refused }
   *[other] { $sessions } connections were ended; connections were refused for { $refused }
}
restore-card-former = Backup made right before: run <code>{ $run }</code>, pinned
restore-card-former-free = Backup made right before: run <code>{ $run }</code>, no longer pinned: kept like any other
restore-card-former-undo = Backup of what was taken back, made right before that: run <code>{ $run }</code>, pinned
restore-card-former-undo-free = Backup of what was taken back, made right before that: run <code>{ $run }</code>, no longer pinned
restore-card-loses-nothing = What is live is not touched: nothing is lost.
restore-card-untouched-live = What is live was not touched.
restore-card-program-failed = ⚠️ A program that the configuration names failed at “{ $step }”: { $reason }
restore-card-programs-owed = ⚠️ The services have not been started again yet: it is tried until it works.
restore-card-clean-up = ⚠️ What it has left on the target is still to be removed: it is tried until it works.

restore-card-undo-until = ↩ Undo until <b>{ $at }</b>; then the old one is dropped.
restore-card-undo-until-former = ↩ Undo until <b>{ $at }</b>: restores the backup made right before.
restore-card-undo-until-versions = ↩ Undo until <b>{ $at }</b>, while the store keeps the older versions.
restore-card-undo-open = ↩ Undo brings the old one back.
restore-card-undo-looking = ↩ { $by } wants the old one back: I look at what was written since.
restore-card-undo-asked = ↩ { $by } wants the old one back. It goes on in the card of approval <code>{ $approval }</code>; nothing has been changed yet.
restore-card-undo-running = ↩ { $by } wanted the old one back: it is being brought back.
restore-card-undo-failed = ⚠️ The old one could not be brought back: { $reason }
restore-card-undo-not = ⚠️ The old one was not brought back: { $reason }
restore-card-undo-loses = Would be lost by it: { $written } written since
restore-card-undo-loses-gone = Would be lost by it: { $written } written since; { $gone } that were restored would be as before again
restore-card-undo-loses-nothing = Nothing was written since: nothing would be lost by it.
restore-card-undo-lost = Written since the restore and not live any more: { $written }
restore-card-undo-lost-nothing = Nothing had been written since the restore: nothing was lost by it.
restore-card-undo-line = • <b>{ $what }</b>: { $written }
restore-card-undone = { $by } has brought back what was live before.
restore-card-undone-kept = What had been restored is kept aside until { $at }, then dropped.
restore-card-undone-dropped = 🗑 What had been restored was dropped, { $at }.
restore-card-dropping = { $by } has it dropped now…
restore-card-drop-failed = ⚠️ The old one could not be dropped: { $reason }. It is tried again.
restore-card-dropped = 🗑 The old one was dropped, { $at }.
restore-card-undo-over = ⌛ Undo is over since { $at }.

restore-card-failed = { $reason }
restore-card-failed-at = It failed at: <b>{ $phase }</b>
restore-card-stderr = <pre>{ $stderr }</pre>
restore-card-live-untouched = What is live was not changed.
restore-card-live-stopped = The data that is live was not changed, but its services may have been stopped.
restore-card-live-back = What was live before is live.
restore-card-live-unknown = Whether what was live before or what was restored is live now cannot be told from here: look at { $target } before anything else.
restore-card-failed-do = What to do: mend what is named above, then ask again with { $command }.
restore-card-failed-look = What to do: look at { $target } first, then at the worker's log; <code>docs/runbook.md</code> has the ways.
restore-card-cancelled = Cancelled by { $by }.
restore-card-expired = It was not confirmed or approved in time. Nothing was changed.
restore-card-by = Asked for by { $by }, { $created }
restore-card-id = Restore <code>{ $id }</code>, run <code>{ $run }</code>

restore-keep-ask = <b>Drop the old { $target } of restore { $id } now?</b>
    Undo is over then; the only way back is the backup that was made before (run <code>{ $run }</code>).
restore-keep-ask-bare = <b>Drop the old { $target } of restore { $id } now?</b>
    Undo is over then.
restore-keep-ask-undone = <b>Drop what restore { $id } had put in the place of { $target } now?</b>
    What is live stays as it is.
restore-keep-done = It will be dropped.
restore-keep-gone = There is nothing kept aside any more.

toast-restore-choose = Where to: see below
toast-restore-confirmed = Type the name in the reply below
toast-restore-keep = Really? See below
toast-restore-looking = I look again
toast-restore-undo = I look at what was written since; then it is to be approved
toast-restore-over = That is over. Nothing was done.
toast-restore-beyond = Too late: the exchange has begun. Undo comes afterwards.

restore-ask-where-roles = <b>Roles</b>: how the server's differ from those of the backup, and giving back what is missing. Databases are not touched.
button-restore-roles = Roles
button-restore-roles-missing = { $missing ->
    [one] Make the missing role
   *[other] Make the { $missing } missing
}
button-restore-roles-altered = { $altered ->
    [one] Alter the other role
   *[other] Alter the { $altered } others
}
button-restore-roles-all = Make { $missing } and alter { $altered }
toast-restore-roles = I compare the roles: see below

restore-roles-title-looking = 🔎 <b>Roles of { $name }</b>: looking
restore-roles-title-refused = ⛔ <b>Roles of { $name }</b>: could not be compared
restore-roles-title-ready = ⚠️ <b>Roles of { $name }</b>: different from the backup
restore-roles-title-asked = 🔐 <b>Roles of { $name }</b>: to be approved
restore-roles-title-running = ⏳ <b>Roles of { $name }</b> are being given
restore-roles-title-done = ✅ <b>Roles of { $name }</b> were given
restore-roles-title-same = ✅ <b>Roles of { $name }</b>: nothing to be given
restore-roles-title-failed = ❌ <b>Roles of { $name }</b> were not given
restore-roles-title-cancelled = 🚫 <b>Roles of { $name }</b>: cancelled
restore-roles-title-expired = ⌛ <b>Roles of { $name }</b>: expired
restore-roles-server = → roles of <b>{ $server }</b>
restore-roles-missing = <b>Missing on the server</b>: { $count }
restore-roles-different = <b>Different from the backup</b>: { $count }
restore-roles-role = • <b>{ $role }</b>: { $what }
restore-roles-own = • <b>{ $role }</b>: { $what }. I am connected as this one: change it by hand
restore-roles-password = password
restore-roles-password-other = another password
restore-roles-plus = + { $what }
restore-roles-stays = { $what } (only on the server, stays)
restore-roles-to = { $live } → { $backup }
restore-roles-extra = Only on the server, left alone: { $list }
restore-roles-passwords = Passwords could not be compared: the backup has none, or this user may not read the server's.
restore-roles-ready = Nothing has been changed yet. Whatever is given is given in one transaction and takes approvals; nothing is taken away. There is no Undo.
restore-roles-made-to-be = To be made ({ $count }): { $list }
restore-roles-altered-to-be = To be altered ({ $count }): { $list }
restore-roles-made-were = Made ({ $count }): { $list }
restore-roles-altered-were = Altered ({ $count }): { $list }
restore-roles-running = All in one transaction.
restore-roles-compared = Looked at again: they are as in the backup.
restore-roles-left = ⚠️ Still not as in the backup: { $list }. Look at them by hand.
restore-roles-same = Every role that the backup has and that can be given from here is as in the backup.
restore-roles-failed = Nothing was changed: they are given in one transaction, all or none.
restore-roles-lost = They are given in one transaction: all of them or none. Look again tells which.
restore-roles-untouched = Nothing was changed.
