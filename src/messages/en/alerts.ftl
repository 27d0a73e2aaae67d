# Alerts: the cards of incidents and storms, /alerts, /silence, the card of the day.

command-alerts = What is firing
command-silence = Silences: list, begin, end

severity-critical = Critical
severity-warning = Warning
severity-info = Info

count-firing = { $n ->
    [one] { $text } firing
   *[other] { $text } firing
}
count-resolved = { $n ->
    [one] { $text } resolved
   *[other] { $text } resolved
}
count-closed = { $n ->
    [one] { $text } closed
   *[other] { $text } closed
}
count-noted = { $n ->
    [one] { $text } event
   *[other] { $text } events
}
count-critical = { $n ->
    [one] { $text } critical
   *[other] { $text } critical
}
count-warning = { $n ->
    [one] { $text } warning
   *[other] { $text } warnings
}
count-info = { $text } info
list-more = and { $count } more

button-acknowledge = Acknowledge
button-acknowledge-all = Acknowledge all
button-silence-1h = Silence 1h
button-silence-8h = Silence 8h
button-silence-choose = Choose…
button-silence-longer = Longer…
button-unsilence = End silence
button-end-silence = End { $number }
button-close = Close
button-details = Details
button-full-list = Full list
button-alerts = Alerts
button-back = ◀ Back
button-refresh = ↻ Refresh

incident-title = { $mark } <b>{ $title }</b>
incident-untitled = (no title)
incident-state = { $state }
incident-is-firing = { $severity }, firing since { $since }
incident-is-again = { $severity }, firing again since { $since }; it has begun { $times } times, first { $first }
incident-is-resolved = { $severity }, resolved { $at } after { $duration }
incident-is-closed = { $severity }, closed by { $by } { $at } after { $duration }
incident-is-noted = { $severity }, { $at }
incident-label = <code>{ $name }</code> <code>{ $value }</code>
incident-text = { $text }
incident-link = <a href="{ $url }">{ $text }</a>
incident-acknowledged = 👤 Acknowledged by <b>{ $by }</b>, { $at }
incident-silenced = 🔕 Silenced until { $until } by { $by }
incident-silenced-because = 🔕 Silenced until { $until } by { $by }: { $reason }
incident-flapping = 🔁 Flapping, { $times } times in { $within }; no sound until it settles
incident-stale = ⌛ Not reported again since { $since }
incident-truncated = ✂️ The sender left out { $count ->
    [one] { $countText } more alert
   *[other] { $countText } more alerts
}
incident-still-reported = ⚠️ Closed, but still reported by its source
incident-good-news = ✅ <b>{ $title }</b>: resolved after { $duration }

link-source = Source
link-dashboard = Grafana
link-panel = Panel
link-alertmanager = Alertmanager
link-silence = Silence there
link-runbook = Runbook
link-page = Page

details-text = Text
details-labels = Labels
details-history = History
details-links = Links
details-origin = Where it comes from
details-source = Source: { $source }
details-heard = Last heard of: { $at }
details-id = Id: { $id }, fingerprint: { $identity }
details-event = { $at }: { $what }
details-forgotten = … { $count ->
    [one] { $count } entry
   *[other] { $count } entries
} left out here …

incident-event-opened = began
incident-event-reopened = began again
incident-event-contradicted = still reported: it was never over
incident-event-resolved = resolved after { $duration }
incident-event-acknowledged = acknowledged by { $by }, { $duration } after it began
incident-event-unacknowledged = no longer acknowledged, as it got worse
incident-event-closed = closed by { $by }, { $duration } after it began
incident-event-silenced = silenced by { $by } until { $until }
incident-event-unsilenced = no longer silenced
incident-event-unsilenced-by = silence ended by { $by }
incident-event-severity = severity is now: { $severity }
incident-event-flapping = flapping
incident-event-settled = no longer flapping
incident-event-stale = not reported any more
incident-event-heard = reported again

toast-acknowledged = Acknowledged
toast-acknowledging = Acknowledging all that fire…
toast-silenced = Silenced for { $duration }
toast-unsilenced = The silence is over
toast-unsilenced-but = This silence is over. Another one, by { $by }, goes on until { $until }.
toast-unsilenced-some = The silence is over. { $count ->
    [one] { $countText } alert stays
   *[other] { $countText } alerts stay
} silenced by others.
toast-silence-of-many = This silence covers more than this alert: see below
toast-silenced-for-longer = Already silenced until { $until } by { $by }. Nothing was done.
toast-closed = Closed
toast-choose = What and for how long: see below
toast-details = See below
toast-answered = The answer is below already
toast-list = The list follows below
toast-already-acknowledged = Already acknowledged by { $by }. Nothing was done.
toast-already-resolved = Already resolved. Nothing was done.
toast-already-closed = Already closed by { $by }. Nothing was done.
toast-already-silenced = Already silenced by { $by }. Nothing was done.
toast-not-silenced = It is no longer silenced. Nothing was done.
toast-nothing-fires = Nothing of it fires any more. Nothing was done.
toast-silence-over = That silence is over already. Nothing was done.
toast-view-expired = This has expired; { $command } shows it anew. Nothing was done.

error-incident-unknown = this alert is not known any more
error-silence-unknown = this silence is not known any more

storm-name = ⛈ Storm of { $from }
storm-title = { $mark } <b>{ $numbers }</b>
storm-rages = A storm since { $from }: { $count ->
    [one] { $countText } alert
   *[other] { $countText } alerts
} so far.
storm-over = The storm is over: { $count ->
    [one] { $countText } alert
   *[other] { $countText } alerts
}, { $span }.
storm-late = Telegram could not be reached, { $span }; { $count ->
    [one] { $countText } alert
   *[other] { $countText } alerts
} meanwhile.
storm-own = { $count ->
    [one] { $countText } of them has a card of its own
   *[other] { $countText } of them have cards of their own
}{ $n ->
    [0] .
    [one] , { $firing } of those fires.
   *[other] , { $firing } of those fire.
}
storm-taken = 👤 { $count ->
    [one] { $countText } acknowledged
   *[other] { $countText } acknowledged
}
storm-silenced = 🔕 { $count ->
    [one] { $countText } silenced
   *[other] { $countText } silenced
}
storm-left = { $n ->
    [one] { $text } still firing.
   *[other] { $text } still firing.
}
storm-nothing-left = None of them fires any more.
storm-severity = { $mark } { $all }, { $n ->
    [one] { $firing } firing
   *[other] { $firing } firing
}
storm-labels = Most often:
storm-label = <code>{ $label }</code> × { $count }
storm-first = First: { $title }
storm-newest = Newest: { $title }, { $at }
storm-criticals = <b>Critical:</b>
storm-critical = { $mark } { $title }
storm-critical-on = { $mark } { $title } · <code>{ $server }</code>
storm-acknowledged = 👤 { $by } has acknowledged { $count ->
    [0] nothing more: all that fire are acknowledged already
    [one] { $countText } alert
   *[other] { $countText } alerts
}.
storm-list = All { $count ->
    [one] { $countText } alert
   *[other] { $countText } alerts
} on this card, critical ones first.
storm-forgotten = ⛈ This storm was so long ago that nothing is kept of it.
list-acknowledged = acknowledged by { $by }

alerts-open = <b>Open alerts: { $count }</b>
alerts-ended = <b>Ended in the last { $window }: { $count }</b>
alerts-newest-only = Only the newest { $count } were looked at.
alerts-none = ✅ <b>No open alerts</b>
alerts-none-such = ✅ <b>Nothing open matches</b>
alerts-filter = Only: <code>{ $filter }</code>
alerts-line = { $number }. { $mark } <b>{ $title }</b>
alerts-server = <code>{ $server }</code>
alerts-part = { $text }
alerts-at = As of { $at }
alerts-page = As of { $at }, page { $page } of { $pages }
alerts-gone = This alert was so long ago that nothing is kept of it.
alerts-bad-filter = I do not understand <code>{ $word }</code>. For example: <code>/alerts critical env=prod job=~web.*</code>, <code>/alerts silenced</code> or <code>/alerts history 7d</code>

silences-none = 🔔 <b>Nothing is silenced</b>
silences-title = 🔕 <b>Silences: { $count }</b>
silences-line = { $number }.
silence-matchers = <code>{ $matchers }</code>
silence-one = only “{ $title }”
silence-until = until { $until }, by { $by }
silence-until-because = until { $until }, by { $by }: { $reason }
silence-covers = { $count ->
    [0] Nothing that is open is silenced by it now.
    [one] { $countText } open alert is silenced by it now.
   *[other] { $countText } open alerts are silenced by it now.
}
silence-over = This silence is over:
silence-cancelled = Cancelled, nothing was silenced.
silence-example = For example: <code>/silence env=prod alertname=~"Disk.*" 2h deploying</code>
alerts-bad-condition = I do not understand <code>{ $word }</code>. Conditions are written like <code>env=prod</code>, <code>env!=prod</code>, <code>job=~"web.*"</code>, and what is no plain word in quotes.
alerts-bad-severity = Nothing ever matches <code>{ $word }</code>: there are <code>critical</code>, <code>warning</code> and <code>info</code>.
silence-late-condition = Is <code>{ $word }</code> a condition? Conditions come before the reason; a reason with such words belongs in quotes.
silence-two-durations = <code>{ $word }</code> is a second duration. In a reason it belongs in quotes.
silence-no-matcher = What shall be silent? A condition on a label is missing.
silence-no-duration = For how long? A duration is missing.
silence-bad-duration = A silence lasts from 1m to 90d.
alerts-bad-pattern = <code>{ $word }</code> is not a regular expression that I can use: it is broken, too large, or has backreferences or lookaround.
silence-too-many = A silence has at most { $word } conditions.
silence-choose = What shall be silent, and for how long?
silence-chosen = Silence <b>{ $what }</b> for <b>{ $duration }</b>?
silence-scope-one = this alert only
silence-scope-name = every { $name }
silence-scope-server = everything on { $server }
silence-ask-late = ⏳ This order reached me { $waited } after it was sent, so I have not carried it out. Is it still wanted?
silence-ask-everything = ⚠️ This silences <b>almost every</b> alert: the conditions leave out only some, or none. Is it wanted all the same?
silence-would-cover = Of { $open } open alerts it would silence { $countText } now.
silence-for = for { $duration }
silence-for-because = for { $duration }: { $reason }

daily-well = ✅ <b>All is well</b>, { $at }
daily-unwell = ⚠️ <b>Not all is well</b>: { $troubles } ({ $at })
daily-bad-backups = { $n ->
    [one] { $text } backup in trouble
   *[other] { $text } backups in trouble
}
daily-still-reported = { $n ->
    [one] { $text } closed by hand but still reported
   *[other] { $text } closed by hand but still reported
}
daily-no-bot = no bot is alive
daily-no-worker = no worker is alive
daily-none-open = Open alerts: none
daily-open = Open alerts: { $counts }
daily-open-oldest = Open alerts: { $counts }; the oldest since { $since }: { $title }
daily-backups = Backups: { $parts }
daily-backups-good = { $count } good
daily-backups-degraded = { $count } without one of the copies ({ $names })
daily-backups-failed = { $n ->
    [one] { $count } failed
   *[other] { $count } failed
} ({ $names })
daily-backups-overdue = { $n ->
    [one] { $count } overdue
   *[other] { $count } overdue
} ({ $names })
daily-backups-never = { $n ->
    [one] { $count } never made
   *[other] { $count } never made
} ({ $names })
daily-processes = Alive: { $bots ->
    [one] { $bots } bot
   *[other] { $bots } bots
}, { $workers ->
    [one] { $workers } worker
   *[other] { $workers } workers
}
daily-day = Last 24 hours: { $parts }
daily-opened = { $n ->
    [one] { $text } alert began
   *[other] { $text } alerts began
}
daily-resolved = { $n ->
    [one] { $text } resolved
   *[other] { $text } resolved
}
daily-closed = { $n ->
    [one] { $text } closed by hand
   *[other] { $text } closed by hand
}
daily-storms = { $n ->
    [one] { $text } storm
   *[other] { $text } storms
}
daily-runs = { $n ->
    [one] { $text } backup
   *[other] { $text } backups
}
daily-failed-runs = { $n ->
    [one] { $text } of them failed
   *[other] { $text } of them failed
}
