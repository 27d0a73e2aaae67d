# The power of servers: /reboot, /shutdown, /startserver, the card that follows, what is held back meanwhile.

command-reboot = Reboot a server and watch it come back
command-shutdown = Shut a server down
command-startserver = Start a server that is off

power-what-start = { $server }: start
power-what-shutdown = { $server }: shutdown
power-what-reboot = { $server }: reboot
power-what-hard-reboot = { $server }: hard reboot
power-what-hard-shutdown = { $server }: power off

power-order-start = Order to start { $server }
power-order-shutdown = Order to shut { $server } down
power-order-reboot = Order to reboot { $server }
power-order-hard-reboot = Order to reboot { $server } hard
power-order-hard-shutdown = Order to power { $server } off

power-title-looking = 🔎 <b>{ $what }</b>: looking at the server
power-title-refused = ⛔ <b>{ $what }</b>: not possible now
power-title-ready = ❓ <b>{ $what }</b>: to be confirmed
power-title-asked = 🔐 <b>{ $what }</b>: waits for approval
power-title-ordering = ⚙️ <b>{ $what }</b>: being ordered
power-title-following = ⏳ <b>{ $what }</b>: under way
power-title-late = 🔴 <b>{ $what }</b>: not over in time
power-title-unclear = ⚠️ <b>{ $what }</b>: nobody can tell yet whether it was done
power-title-done = ✅ <b>{ $what }</b>: done
power-title-done-alerts = ☑️ <b>{ $what }</b>: done, and alerts are left
power-title-failed = ❌ <b>{ $what }</b>: not done
power-title-unknown = ⚠️ <b>{ $what }</b>: nobody can tell whether it was done
power-title-lost = ⚪ <b>{ $what }</b>: no longer watched
power-title-cancelled = 🚫 <b>{ $what }</b>: taken back
power-title-expired = ⌛ <b>{ $what }</b>: expired

power-hard-warning = As if the plug were pulled: what is not written to disk is lost.
power-state = { $status }{ $word ->
    [none] {""}
   *[other] {" "}("{ $word }")
}{ $addresses ->
    [none] {""}
   *[other] {" "}· { $addresses }
}
power-provider-name = At the provider: { $name }
power-last = Last started or stopped: { $at }
power-last-by = Last started or stopped: { $at } ({ $by })
power-last-unknown = When it was last started is not known.
power-work = ⚠️ Under way there:
power-work-backup = backup of { $name }
power-work-upload = missing copies of { $name }
power-work-verify = verification of { $name }
power-work-restore = restore of { $name }
power-work-none = Nothing of Vakhta is under way there.
power-backups = Backups of what is there: { $names }
power-processes = Vakhta runs there: { $roles }
power-only-worker = ⚠️ The only worker runs on { $server }: nobody watches until it is back.
power-clients = Connected to PostgreSQL there (backup { $backup }): { $count }
power-client = { $application } as { $user }, database { $database }: { $count }
power-client-unnamed = { $user }, database { $database }: { $count }
power-clients-more = others: { $count }
power-clients-unknown = Who is connected to PostgreSQL there (backup { $backup }) is not known: { $reason }
power-incidents = Open incidents: { $count }
power-incident = { $mark } { $title }
power-incidents-none = No open incidents.
power-unknown = Who is logged in there, and what else runs there, cannot be seen from here.
power-no-log = The provider's action log cannot be read: if an answer is lost, nobody will be able to tell whether it was done.
power-why = Why:
power-confirm-hint = Confirm, and it is asked for. Nothing has been done yet.
power-confirm-hint-hard = Confirm, then type the server's name. Nothing has been done yet.
power-asked = Approval <code>{ $approval }</code>: its card is below.
power-ordering = The provider is being asked. If its answer is lost, the server and its action log are looked at before anything else.
power-error = { $reason }
power-untouched = The server was not touched.
power-blind = ⚠️ The provider cannot be asked since { $since }: { $reason }
power-seen = Seen last: { $status }, { $at }
power-held = Alerts of { $server }, critical ones too, are held back until it is over: /alerts has them.
power-back-by = Expected back by { $at }.
power-off-by = Expected off by { $at }.
power-alerts-open = { $count ->
    [one] { $count } alert of the server is still open.
   *[other] { $count } alerts of the server are still open.
}
power-took = Took { $duration }.
power-unclear-text = The provider's answer was lost, and it cannot be told from the server or its action log. It is not ordered a second time; the server is watched.
power-unknown-text = There was no sign of it. It was not ordered a second time: look at the server before you ask again.
power-lost-text = It was watched for long enough, or another order has taken its place.
power-late-now-api = Its provider cannot be asked, so nobody knows how it stands.
power-late-now-off = It is off.
power-late-now-stuck = It is neither on nor off.
power-late-now-silent = The provider says that it is on, but it does not answer.
power-late-now-on = It is still on.
power-late-now-running = It answers and has been running since before the order: it was not rebooted.
power-next = Went on with <code>{ $id }</code>.
power-stage-done = ✔ { $at } { $stage }
power-stage-unseen = ▫️ { $stage } (not seen: between two looks)
power-stage-now = ⏳ { $stage } …
power-stage-open = ▫️ { $stage }
power-stage-ordered = ordered
power-stage-going-down = going down
power-stage-down = down
power-stage-booting = booting
power-stage-answering = answering
power-stage-green = checks green
power-by = { $by }, { $at }
power-by-itself = Vakhta itself, { $at }
power-id = Order <code>{ $id }</code>
power-console = <a href="{ $url }">Open the console</a>
power-until = To be confirmed by { $at }

server-status-on = On
server-status-off = Off
server-status-starting = Starting
server-status-stopping = Stopping
server-status-rebooting = Rebooting
server-status-busy = The provider is at work on it
server-status-blocked = Blocked by the provider
server-status-removed = Removed
server-status-unknown = State unknown

button-power-soft = Soft reboot
button-power-hard = Hard reboot…
button-power-hard-reboot = Hard reboot…
button-power-off = Shut down
button-power-hard-off = Power off…
button-power-start = Start
button-power-look = Look again
button-reboot = Reboot…
button-start-server = Start

power-choose-server-reboot = <b>Which server is to be rebooted?</b>
power-choose-server-shutdown = <b>Which server is to be shut down?</b>
power-choose-server-startserver = <b>Which server is to be started?</b>
power-choose-reboot = <b>{ $server }</b>: how is it to be rebooted?
power-choose-shutdown = <b>{ $server }</b>: how is it to be shut down?
power-choose-startserver = <b>{ $server }</b>: start it?
power-choose-soft-hint = Soft asks the system to do it; hard is as if the plug were pulled.
power-choose-only = <b>{ $what }</b>: ask for it?
power-choose-done = The server is being looked at: see the card below.
power-choose-late = Your command reached me { $waited } late. Is it still wanted?
power-choose-unknown = There is no server called { $server }.
power-choose-none-configured = No server is configured whose power can be switched: only those of providers with an API for it ({ $kinds }), see servers in the configuration.
power-choose-none = The power of { $server } cannot be switched from here: its provider { $provider } has no hand on it.

toast-power-confirmed = Confirmed
toast-power-looking = Looking…
toast-power-next = Asking…
power-refused-confirm = This cannot be confirmed any more. Nothing was done.
power-refused-cancel = Too late to take it back.
power-refused-look = It is under way or over.
power-refused-next = The server is not waiting for this any more.
power-refused-not-yours = That is for { $by } or an admin. Nothing was done.

power-obstacle-on = It is on already.
power-obstacle-off = It is off already.
power-obstacle-off-start = It is off: start it instead (/startserver).
power-obstacle-moving = It is on its way up or down already: look again in a minute.
power-obstacle-busy = The provider is at work on it (it is installed, cloned or moved): look again when that is over.
power-obstacle-blocked = The provider has blocked it (unpaid?): its power cannot be switched.
power-obstacle-removed = The provider has removed it.

power-detail-work = ⚠️ Under way there ({ $count }): { $names }
power-detail-incidents = Open incidents of it: { $count }
power-detail-last = Last started or stopped: { $at } { $by }
power-note-looking = The answer about { $server } was lost: looking whether it was done.
power-note-ordered = The provider has it; how { $server } comes along is on its own card.
power-approval-lost = what is known of its approval is gone; nothing was ordered
power-approval-void = approval { $id } is void; its card says why

power-late-title = { $server } is not back { $minutes } min after it was ordered
power-late-title-off = { $server } is not off { $minutes } min after it was ordered
power-late-text-api = Its provider cannot be asked, so nobody knows how it stands. Open the console, or look at the provider's panel.
power-late-text-off = It is off. Start it, or open the console.
power-late-text-stuck = It is neither on nor off. Open the console; a hard reboot may help.
power-late-text-silent = The provider says that it is on, but it does not answer. Open the console to see where it hangs; a hard reboot may help.
power-late-text-on = It is still on: the system does not go down. Open the console; powering it off would be hard.
power-late-title-running = { $server } was not rebooted { $minutes } min after it was ordered
power-late-text-running = It answers and has been running since before the order: the provider has taken it, and nothing has happened. Look at the provider's panel; a hard reboot may help.
power-late-over = { $server } is back.
power-late-over-off = { $server } is off.

incident-held = 🔕 Held back until { $until }: the server is being switched by order of { $by }
silence-hold = Alerts of { $server } while its power is being switched
link-console = Console

error-power-unknown = Order { $id } about a server's power is not known any more.
error-power-no-server = There is no server called { $server } in the configuration.
error-power-none = The power of { $server } cannot be switched: its provider { $provider } has no hand on it.
error-power-busy = { $server } is busy with order { $id }: wait for its end.
error-power-over = order { $id } is over already
error-power-ignored = The provider has been asked twice and does nothing with { $server }. Look at its panel.
error-power-unclear = Nobody can tell whether the provider has done it with { $server }. It is not repeated; the server is watched.
