# What the chat says. HTML; every variable is escaped.

command-backup = Back up now
command-status = What is alive, how the backups stand
command-help = What I can do
command-language = Language of my replies
command-whoami = Your id and role, this chat's id

role-viewer = viewer
role-operator = operator
role-admin = admin

process-bot = bot
process-worker = worker

button-confirm = Confirm
button-cancel = Cancel
button-retry = Retry
button-previous = ◀
button-next = ▶

start-hello = Hello, { $name }. I keep watch here; you are listed as <b>{ $role }</b>. /help shows what I can do.

help-title = <b>What I can do for you</b>
help-line = /{ $command } – { $text }
help-end = Nothing that changes anything happens before a button is pressed.

whoami = { $name }: id <code>{ $id }</code>, role <b>{ $role }</b>; chat <code>{ $chat }</code>
whoami-topic = { $name }: id <code>{ $id }</code>, role <b>{ $role }</b>; chat <code>{ $chat }</code>, topic <code>{ $topic }</code>

language-usage = I answer you in <b>{ $current }</b>. To change it: /language followed by one of { $choices }.
language-set = From now on I answer you in English.

refused-role = That takes the role <b>{ $role }</b>.
action-failed = That did not work: { $reason }

status-title = <b>Status</b>
status-process = 🟢 { $role } on <code>{ $host }</code>, up { $up }
status-no-bot = 🔴 no bot is alive
status-no-worker = 🔴 no worker is alive: backups do not run
status-backup = <b>{ $name }</b>: { $text }
status-backup-never = <b>{ $name }</b>: never backed up
status-latest-queued = a run is waiting
status-latest-running = a run is under way
status-latest-failed = the last run <b>failed</b>
status-latest-cancelled = the last run was cancelled
status-latest-degraded = a copy is missing
status-latest-succeeded = done
status-next = next { $next }

toast-stranger = You are not on the list, so this does nothing.
toast-outdated = This button is out of date. Nothing was done.
toast-stray = This is an old copy. The card in force is further down. Nothing was done.
toast-other-person = This dialog belongs to { $name }. Nothing was done.
toast-role = That takes the role { $role }. Nothing was done.
toast-dialog-done = Already confirmed. It was carried out once.
toast-dialog-cancelled = Already cancelled. Nothing was done.
toast-dialog-expired = Too late: this dialog has expired. Nothing was done.
toast-dialog-replaced = There is a newer dialog. Nothing was done here.
toast-cancelling = Stopping…
toast-retrying = { $name }: ordered again

dialog-cancelled = Cancelled, nothing was started. { $command } asks again.
dialog-expired = ⌛ Expired, nothing was started. { $command } asks again.
dialog-replaced = There is a newer dialog below. Nothing was started from this one.
dialog-again-command = ⏳ This order reached me { $waited } after it was sent, so I have not carried it out. Is it still wanted?
dialog-again-press = ⏳ The press reached me too late, so I have not carried anything out. Is it still wanted?

card-cut = The rest is in the file below.

notice-chat-refused = ⚠️ Telegram refuses to deliver to chat <code>{ $chat }</code>: { $reason }. What belongs there waits until the bot is let in again.
