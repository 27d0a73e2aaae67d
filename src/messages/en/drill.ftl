# Recovery drills: the card, /drill, the watch, the configuration.

command-drill = Drill the recovery of all backups now

drill-title-queued = 🕓 <b>Recovery drill</b> is waiting
drill-title-running = 🧭 <b>Recovery drill</b> is under way: { $done } of { $total } done
drill-title-passed = ✅ <b>Recovery drill passed</b>: { $total ->
    [one] { $total } backup was
   *[other] { $total } backups were
} restored from elsewhere and compared
drill-title-slow = ⚠️ <b>Recovery drill</b>: everything was restored, { $over } of { $total } beyond the limits
drill-title-failed = ❌ <b>Recovery drill failed</b>: { $bad } of { $total } could not be recovered
drill-title-empty = ❌ <b>Recovery drill failed</b>: there is nothing that could be restored
drill-title-cancelled = 🚫 <b>Recovery drill</b> was cancelled: { $done } of { $total } done

drill-item-waiting = ▫️ <b>{ $name }</b>: { $size } in <b>{ $storage }</b>
drill-item-waiting-none = ▫️ <b>{ $name }</b>
drill-item-running = ⏳ <b>{ $name }</b>: { $what }
drill-item-passed = { $mark } <b>{ $name }</b>: { $times } · { $counted } · { $size } from <b>{ $storage }</b>
drill-item-failed = ❌ <b>{ $name }</b>: the newest copy in <b>{ $storage }</b> does not hold. { $reason }
drill-item-undrilled = ❌ <b>{ $name }</b>: could not be recovered. { $reason }
drill-item-left-out = ➖ <b>{ $name }</b>: left out. { $reason }
drill-item-cancelled = 🚫 <b>{ $name }</b>: not drilled
drill-progress = { $what }, { $read } of { $total } ({ $percent } %)
drill-time-rto = RTO { $value }
drill-time-rpo = RPO { $value }
drill-over-rto = ❗RTO { $value } (limit { $limit })
drill-over-rpo = ❗RPO { $value } (limit { $limit })
drill-beneath = { "   " }{ $words }
drill-between = {", "}
drill-trend-rto = RTO { $values } { $arrow }
drill-trend-rpo = RPO { $values } { $arrow }
drill-counted-rows = { $countText } { $count ->
    [one] row
   *[other] rows
}
drill-counted-keys = { $countText } { $count ->
    [one] key
   *[other] keys
}
drill-counted-entries = { $countText } { $count ->
    [one] entry
   *[other] entries
}
drill-counted-objects = { $countText } { $count ->
    [one] object
   *[other] objects
}
drill-uncounted = nothing to count
drill-differences = { $countText } { $count ->
    [one] difference
   *[other] differences
} from what was backed up; the verification's card below names them.
drill-more = … and { $count } more, { $passed } of them restored within the limits: see the file.

drill-limits = Limits: RTO { $rto } (from the manifest until restored and compared), RPO { $rpo } (age of the data)
drill-sum = All of them, one after another: { $duration }
drill-took = The drill took { $duration }.
drill-cancelled = Cancelled by { $by }. Nothing is left behind.
drill-id = Drill <code>{ $drill }</code>
drill-again-by = Drilled again by { $by }: <code>{ $drill }</code>
drill-already = A drill is under way already; its card is here in the chat.
verify-by-drill = Part of a recovery drill, { $created }

drill-reason-only-local = All its copies lie on the disks of workers, and would be lost with them. Add a storage elsewhere (s3) to its storages.
drill-reason-no-offsite = None of its copies lies in { $storages }: all there are would be lost with the worker's disk. Look at /backups, why they are missing.
drill-reason-none = There is no backup of it yet. Make one: /backup
drill-reason-unseen = { $storage } could not be looked into: { $reason }
drill-reason-unseen-yet = { $storage } has not been looked into yet. Drill again in some minutes.
drill-reason-manifest = The newest copy in { $storage } can not be used: { $object } makes no sense. Make another one: /backup
drill-reason-gone = Its copy in { $storage } was removed while it waited for its turn. Drill again.
drill-reason-lost = What was known of its test-restore is gone from Redis. Drill again.
drill-reason-cancelled = Its test-restore was cancelled.

button-drill-again = Drill again
toast-drilling = The drill has been ordered.

watch-drill-schedule = The recovery drill did not run at { $at }
watch-drill-schedule-text =
    It is made up for as soon as a worker takes it. Look whether workers are alive (/status) and whether they are busy.
watch-drill-nothing = { $name } could not be recovered after the loss of a server
watch-drill-unable = { $name } could not be drilled
watch-drill-text-no-backup =
    The drill of { $at } found no backup of { $name } at all. Make one now: /backup { $name }. It is over with the next drill that succeeds.
watch-drill-text-no-offsite =
    The drill of { $at } found no copy of { $name } elsewhere than on a worker's own disk. Add a storage elsewhere, or mend the one that is missing copies (/backups). It is over with the next drill that succeeds.
watch-drill-text-unseen =
    The drill of { $at } could not see what lies elsewhere: { $reason }. It is over with the next drill that succeeds.
watch-drill-text-shallow =
    The drill of { $at } could read the copy of { $name }, but not restore it: its card says why (/drill repeats it). It is over with the next drill that succeeds.
watch-drill-over-rto = The recovery of { $name } takes longer than it may
watch-drill-over-rto-text =
    In the drill of { $at } it took { NUMBER($rto) } min; the limit (drill.rto) is { NUMBER($rtoLimit) } min. It is over with the next drill within the limits.
watch-drill-over-rpo = What is recovered of { $name } is older than it may be
watch-drill-over-rpo-text =
    In the drill of { $at } the newest copy elsewhere was { NUMBER($rpo) } min old; the limit (drill.rpo) is { NUMBER($rpoLimit) } min. Look whether its runs and its copies elsewhere succeed (/backups). It is over with the next drill within the limits.
watch-drill-over-both = The recovery of { $name } takes longer than it may, and what it gives is too old
watch-drill-over-both-text =
    In the drill of { $at } it took { NUMBER($rto) } min (limit drill.rto: { NUMBER($rtoLimit) } min), and the newest copy elsewhere was { NUMBER($rpo) } min old (limit drill.rpo: { NUMBER($rpoLimit) } min). It is over with the next drill within the limits.

error-drill-unknown = Drill { $drill } is not known any more.
error-drill-running = This drill has not ended yet.

config-problem-no-backup = there is no backup of that name. Known: { $known }.
config-problem-drill-command = { $name } cannot be test-restored: only a program knows how. Name one as source.testRestore of that backup, or take it out of here.
config-problem-drill-kind = { $name } cannot be test-restored: backups of kind { $kind } cannot. Take it out of here.

cli-drill = restore every backup from its newest copy elsewhere into a private server, and measure it
cli-drill-passed = { $name }: RTO { $rto }, RPO { $rpo }; { $counted }; { $size } from { $storage }
cli-drill-failed = { $name }: could not be recovered. { $reason }
cli-drill-left-out = { $name }: left out. { $reason }
cli-drill-nothing = there is nothing to drill: no backup was found elsewhere than on a disk
cli-drill-over = { $name }: { $what } is beyond its limit of { $limit }
cli-drill-summary = recovered: { $passed } of { $total }
