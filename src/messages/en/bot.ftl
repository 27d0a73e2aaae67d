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
help-end = Commands that run something first show what it will be, and wait for Confirm.

whoami = { $name }: id <code>{ $id }</code>, role <b>{ $role }</b>; chat <code>{ $chat }</code>
whoami-topic = { $name }: id <code>{ $id }</code>, role <b>{ $role }</b>; chat <code>{ $chat }</code>, topic <code>{ $topic }</code>

language-name = English
language-usage = I answer you in <b>{ $current }</b>. To change it, send:
language-choice = <code>/language { $locale }</code> – { $name }
language-set = From now on I answer you in English.

refused-role = That takes the role <b>{ $role }</b>.
action-failed = That did not work: { $reason }
action-failed-inside = That did not work: something broke down on the way. Send the command again; my log has the details.
command-late = ⏳ /{ $command } reached me { $waited } after it was sent, so I have not carried it out. Send it again if it is still wanted.

status-title = <b>Status</b>
status-process = 🟢 { $role } on <code>{ $host }</code>, up { $up }
status-no-bot = 🔴 no bot is alive
status-no-worker = 🔴 no worker is alive: backups do not run
status-backup = <b>{ $name }</b>: { $text }
status-backup-never = <b>{ $name }</b>: never backed up
status-backup-unknown = <b>{ $name }</b>: no backup is known yet
status-next = next { $next }

toast-stranger = You are not on the list, so this does nothing.
toast-anonymous = An anonymous admin may be anybody. Press as yourself: nothing was done.
toast-outdated = This button is out of date. Nothing was done.
toast-stray = This is an old copy; the one in force is further down. Nothing was done.
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
dialog-again-lost = ⚠️ I lost the thread of this dialog, so nothing was carried out. I ask once more:

card-cut = The rest is in the file below.
card-moved = ⤵ { $title }: goes on elsewhere
card-continued = ⤵ { $title }: goes on in another message of this chat
card-continued-at = ⤵ { $title }: <a href="{ $url }">goes on here</a>

notice-chat-moved = ⚠️ The chat <b>{ $name }</b> has become a supergroup and has a new id. It goes on here; in <code>vakhta.yaml</code> replace <code>{ $from }</code> by <code>{ $to }</code>.
notice-person-refused = ⚠️ I cannot write to <b>{ $name }</b>: they have to open @{ $bot } and press Start. What belongs there waits until then.
notice-chat-refused = ⚠️ Telegram refuses to deliver to the chat <b>{ $name }</b> (<code>{ $chat }</code>): { $reason }. What belongs there waits until the bot is let in again.
