# /stats: the fleet as a table, a server as a picture.

command-stats = CPU, memory, disks: all servers, or a chart of one

stats-none-configured = No servers are configured: name them under <code>servers</code> in the configuration.
stats-summary = { $total ->
    [one] <b>{ $text } server</b>
   *[other] <b>{ $text } servers</b>
}
stats-count-on = { $count } on
stats-count-off = { $count } off
stats-count-silent = { $count } silent
stats-count-never = { $count } not looked at yet
stats-oldest = oldest reading { $age }
stats-filter = Filter: <code>{ $filter }</code>
stats-at = <i>{ $at }</i>
stats-page = <i>{ $at } · page { $page } of { $pages }</i>

stats-column-server = server
stats-column-cpu = CPU
stats-column-memory = MEM
stats-column-disk = DSK
stats-column-load = LD

stats-never = not looked at yet
stats-status-on = on
stats-status-off = off
stats-status-starting = starting
stats-status-stopping = stopping
stats-status-rebooting = rebooting
stats-status-busy = provider at work
stats-status-blocked = blocked
stats-status-removed = removed
stats-status-unknown = status unknown
# At most 13 characters: a duration follows.
stats-silent-account = API down
stats-silent-gone = gone
stats-silent-unreachable = no answer
stats-silent-refused = refused
stats-silent-garbage = unreadable
stats-silent-no-data = no data
stats-silent-old = no news

stats-unknown = No server is called “{ $word }”. /stats lists all of them.
stats-unknown-near = No server is called “{ $word }”. Is it <code>{ $near }</code>?
stats-bad-range = “{ $word }” is no time for a chart: write one, from 10m to 1100d, as in <code>/stats web-1 24h</code>.
stats-which = A chart is of one server: name it. { $fit ->
    [none] No server fits.
    [more] { $names } and others fit.
   *[some] These fit: { $names }.
}
stats-gone = Server { $name } is not in the configuration any more.

stats-caption = { $mark } <b>{ $name }</b>
stats-up = up { $up }
stats-value-cpu = CPU { $value }
stats-value-memory = memory { $value }
stats-value-disk = disk { $value }
stats-value-load = load { $value }
stats-free = { $free } free
stats-reason = <i>{ $text }</i>
stats-incident = { $mark } { $title } · { $lasted }
stats-boots = ▼ Restarted: { $times }
stats-measured = <i>{ $at } · measured { $age } before</i>
stats-range-1h = 1h
stats-range-24h = 24h
stats-range-7d = 7d
stats-range-30d = 30d
button-stats-incidents = { $n ->
    [one] { $count } incident
   *[other] { $count } incidents
}
button-stats-reboot = 🔄 Reboot…
toast-stats-theme-dark = Dark
toast-stats-theme-light = Light

chart-cpu = CPU
chart-memory = Memory
chart-disk = Disk
chart-network = Network
chart-label = { $known ->
    [nowmax] { $now } · max { $max }
    [now] { $now }
    [max] max { $max }
   *[none] {""}
}
chart-label-in = in { $now }
chart-label-out = out { $now }
chart-no-data = no data
chart-limit = limit
chart-incident = incident
chart-boot = restart
chart-off = off
chart-range = min–max
chart-busy = too many charts are being drawn: try again in a moment
chart-failed = the chart could not be drawn; the bot's log says why
