# What goes and what stays: the card that asks, the explanation, incidents.

prune-title-asked = 🧹 <b>Remove { $count } old backups of { $name }?</b>
prune-title-confirmed = 🧹 <b>Old backups of { $name }</b> are being removed
prune-title-done = ✅ <b>Old backups of { $name }</b> were removed
prune-title-cancelled = 🚫 <b>Old backups of { $name }</b> stay
prune-title-void = ⌛ <b>Old backups of { $name }</b>: this question is out of date
prune-why = The retention of <b>{ $storage }</b> ({ $policy }) would remove { $count } of { $total } backups at once. That much is only done when somebody agrees.
prune-place = <b>{ $storage }</b> <code>{ $location }</code>
prune-span = { $count ->
    [one] Would go: { $countText } backup
   *[other] Would go: { $countText } backups
}, { $oldest } to { $newest }
prune-size = They hold { $size } of { $all }.
prune-stays = Everything else stays, pinned ones and the last good one in any case. Meanwhile nothing is removed here.
prune-confirmed-by = Agreed to by { $by }, { $at }
prune-cancelled-by = { $by } said no, { $at }. Nothing was removed; it is asked again in a week, or when the policy changes.
prune-removed = { $count ->
    [one] { $countText } backup was removed.
   *[other] { $countText } backups were removed.
}
prune-void = What would go has changed, so nothing was removed. When it is still very much, it is asked anew.
toast-prune-confirmed = They are being removed
toast-prune-cancelled = They stay
toast-prune-answered = Already answered by { $by }
toast-prune-void = This question is out of date

retention-heading = Backups of { $name } in { $storage }, as the retention ({ $policy }) sees them: { $stay } stay, { $go } go.
retention-as-known = As last read at { $at }.
retention-stays = stays
retention-goes = goes
retention-unsound = damaged
retention-reason-all = everything is kept
retention-reason-pinned = pinned
retention-reason-last-good = the last good one
retention-reason-none-good = none there is known to be good
retention-reason-future = from the future: a clock was wrong
retention-reason-copying = a copy is being made from it
retention-reason-last = among the newest
retention-reason-daily = newest of day { $period }
retention-reason-weekly = newest of week { $period }
retention-reason-monthly = newest of month { $period }
retention-reason-yearly = newest of year { $period }
retention-reason-needed = needed by { $by }
retention-reason-locked = locked until { $until }

watch-retention = Old backups of { $name } could not be removed from { $storage }
watch-retention-text =
    { $reason }
    Nothing is lost, but { $storage } will fill up. Check its rights and whether it can be reached; it is tried again after the next backup and once a day.
watch-unreadable = { $storage } holds backups of { $name } that cannot be read
watch-unreadable-text = { $count ->
    [one] { $countText } manifest makes no sense or was written by a newer version.
   *[other] { $countText } manifests make no sense or were written by a newer version.
} While they are there, nothing is removed: they may need what would go. Update this program, or move their folders away.
watch-unseen = { $storage } could not be looked at for over an hour
watch-unseen-text =
    { $reason }
    So it is since { $at }. What is in { $storage } nobody knows now, and nothing could be restored from it.
    Check its address, its rights and whether it can be reached. It is tried again every minute.
watch-unseen-old-text =
    Nobody has looked since { $at }: what is in { $storage } is not known now.
    Look whether the workers get to their work (/status, and the worker's log).
watch-anomaly = Backup { $name } is far smaller than usual
watch-anomaly-text =
    Run { $run }: { $size }, the ones before it about { $usual }.
    Data may be missing. Until this is clear no backup of { $name } is removed, in no storage.
    If the size is right, press Close: then that is the new measure. Otherwise the next backup of the usual size ends this.
watch-age = No good backup of { $name } for too long
watch-age-text =
    The last good one began { $at }; it may be { $limit } old at most.
    Look at the last run (/backup { $name }) and whether a worker is alive (/status).
watch-age-none-text =
    There is none at all since { $at }; it may be { $limit } old at most.
    Look at the last run (/backup { $name }) and whether a worker is alive (/status).

schedule-dropped = Backup { $name } was not started at { $at }
schedule-dropped-text = Its time came outside of its hours (window), and catchUp is off: this run is left out.
backup-waits-window = Waiting for its hours: it may begin at { $at }.
error-window = It could not begin within its hours (window), and is not made up, as catchUp says.
backup-hook-failed = ⚠️ Afterwards <b>{ $step }</b> failed: { $reason }. The backup is not affected.
