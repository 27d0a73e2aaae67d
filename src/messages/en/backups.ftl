# /backups, /status, pins and download links.

command-backups = How the backups stand

health-damaged = a copy did not hold
health-failed = the last run failed
health-never = none was ever made
health-too-old = too old
health-out-of-reach = no copy can be reached
health-unseen = { $storage } could not be looked at since { $since }: { $reason }
health-unseen-old = { $storage } was last looked at { $since }
health-unseen-yet = { $storage } has not been looked at yet
health-unseen-unreadable = { $storage } holds { $n ->
    [one] { $count } manifest that cannot be read
   *[other] { $count } manifests that cannot be read
}
health-late = overdue
health-copy-missing = missing in { $storages }
health-anomaly = far smaller than usual
health-proof-old = not proven for longer than scheduled
health-unproven = never proven

status-backups = <b>Backups</b>: { $counts }
status-reasons = <b>{ $reasons }</b>
status-more = /backups shows more.
status-more-bad = … and { $count } more that are not well: /backups

daily-backups-damaged = { $n ->
    [one] { $count } that did not hold
   *[other] { $count } that did not hold
} ({ $names })
daily-backups-small = { $n ->
    [one] { $count } far smaller than usual
   *[other] { $count } far smaller than usual
} ({ $names })
daily-backups-unseen = { $count } of which { $storages } cannot be looked at ({ $names })
daily-backups-unproven = { $n ->
    [one] { $count } not proven, or too long ago
   *[other] { $count } not proven, or too long ago
} ({ $names })

backups-none = No backup is configured yet. <code>vakhta.example.yaml</code> shows how.
backups-none-such = No backup is called so.
backups-title = <b>Backups</b>: { $counts }
backups-filter = Filter: <code>{ $filter }</code>
backups-name = { $mark } <b>{ $name }</b>
backups-name-why = { $mark } <b>{ $name }</b>: { $reasons }
backups-last = Last good: { $last }
backups-last-none = Last good: none
backups-last-unknown = Last good: not known yet
backups-proven = 🔎 { $depth }, { $age } ago
backups-proven-other = 🔎 the one of { $at }: { $depth }, { $age } ago
backups-damaged = ❌ the one of { $at } did not hold in { $storage }, { $age } ago
backups-copies = { $copies }
backups-next = Next: { $next }
backups-next-none = Next: no schedule
backups-run-running = a run is under way
backups-run-queued = a run is waiting
backups-trend-size = Size { $chart } { $value }
backups-trend-time = Time { $chart } { $value }

backups-of = <b>{ $count } kept</b>, newest first:
backups-of-none = There is no backup of it in the storages.
backups-of-unknown = None is known yet: not all of its storages have been looked at.
backups-seen = Storages looked at { $at }
backups-seen-not = Not all of the storages have been looked at yet
backups-page = page { $page } of { $pages }
backups-line = { $number }. { $mark } { $at } · { $size } · { $copies }{ $pin }

backups-gone = <b>{ $name }</b>: the backup of run <code>{ $run }</code> is not there any more.
backups-one = <b>{ $name }</b>, { $at } ({ $age } ago)
backups-made = Took { $duration } on <code>{ $host }</code>
backups-entries = Holds { $count ->
    [one] { $countText } entry
   *[other] { $countText } entries
}
backups-references = Builds upon { $runs ->
    [one] { $runsText } earlier backup
   *[other] { $runsText } earlier backups
}; { $whole } in all
backups-encrypted = 🔒 encrypted with age for { $recipients ->
    [one] { $recipients } key
   *[other] { $recipients } keys
}
backups-plain = Not encrypted
backups-versions = Made by { $versions }
backups-copy = ✓ <b>{ $storage }</b> <code>{ $location }</code>
backups-copy-damaged = ❌ <b>{ $storage }</b> <code>{ $location }</code>: it did not hold
backups-copy-incomplete = ❌ <b>{ $storage }</b> <code>{ $location }</code>: a part is missing
backups-copy-conflict = ❌ <b>{ $storage }</b> <code>{ $location }</code>: its manifest is not that of the other storages
backups-copy-chain = ❌ <b>{ $storage }</b> <code>{ $location }</code>: what it needs of earlier runs is damaged or not there
backups-copy-none = ✗ <b>{ $storage }</b>: not there
backups-copy-more = <i>{ $more }</i>
backups-stays = stays: { $reasons }
backups-goes = until about { $at }, if all goes by the schedule
backups-goes-next = goes with the next removal
backups-unproven = ▫️ Not proven yet
backups-pinned = 📌 Pinned by { $by }, { $at }
backups-pinned-because = 📌 Pinned by { $by }, { $at }: { $reason }
backups-pinned-before-restore = 📌 What was live right before a restore (<code>{ $restoration }</code>), pinned since { $at } for as long as that can be undone
backups-pinning = 📌 { $by } pins it ({ $at }); still to be written: { $storages }. It is kept from now on.
backups-unpinning = 📌 { $by } takes its pin away ({ $at }); still to be done: { $storages }
backups-pin-failed = ⚠️ { $storage }: { $reason }. It is tried again.
backups-run = Run <code>{ $run }</code>

button-pin = 📌 Pin
button-unpin = Unpin
button-link = ⬇ Download link
toast-pinning = It will be pinned in every storage; kept from now on.
toast-unpinning = Its pin is being taken away.
toast-backup-gone = This backup is not there any more. Nothing was done.
toast-link-asked = The link comes in a moment.
toast-link-private = Download links are only given in a private chat: write to me directly.
toast-link-local = Its copies are only on workers' own disks: there is no link to them. Fetch it from there.

links-title = ⬇ <b>{ $name }</b>, run <code>{ $run }</code>: the links work until { $until }
links-more = … and { $count } more: the command line fetches them all.
links-encrypted = 🔒 The files are encrypted: they are of no use without the key (age identity). How they are opened: <code>docs/restore-without-vakhta.md</code>
links-plain = ⚠️ The files are not encrypted. How they are opened: <code>docs/restore-without-vakhta.md</code>
links-secret = Whoever has a link can download the file: do not pass it on.
links-failed = No download link for <b>{ $name }</b>, run <code>{ $run }</code>: { $reason }
links-no-worker = No download link for <b>{ $name }</b>, run <code>{ $run }</code>: no worker that reaches its storage has answered. Look at /status, then press the button again.
error-link-local = Storage { $storage } gives no download links.

backup-by-schedule-waited = By schedule: due { $due }, put off to { $created } by its hours or jitter
backup-copy-gone = 🗑 <b>{ $storage }</b> <code>{ $location }</code>: no longer there since { $at }
backup-copy-pruned = 🗑 <b>{ $storage }</b> <code>{ $location }</code>: removed by the retention, { $at }
