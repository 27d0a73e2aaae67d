# Что говорит чат. HTML; каждая переменная экранируется.

command-backup = Сделать резервную копию
command-status = Что работает и как обстоят дела с копиями
command-help = Что я умею
command-language = Язык моих ответов
command-whoami = Ваш id и роль, id этого чата

role-viewer = наблюдатель
role-operator = оператор
role-admin = администратор

process-bot = бот
process-worker = исполнитель

button-confirm = Подтвердить
button-cancel = Отмена
button-retry = Повторить
button-previous = ◀
button-next = ▶

start-hello = Здравствуйте, { $name }. Я несу здесь вахту; ваша роль – <b>{ $role }</b>. /help покажет, что я умею.

help-title = <b>Что я могу для вас сделать</b>
help-line = /{ $command } – { $text }
help-end = Команды, которые что-то запускают, сначала показывают, что это будет, и ждут «Подтвердить».

whoami = { $name }: id <code>{ $id }</code>, роль <b>{ $role }</b>; чат <code>{ $chat }</code>
whoami-topic = { $name }: id <code>{ $id }</code>, роль <b>{ $role }</b>; чат <code>{ $chat }</code>, тема <code>{ $topic }</code>

language-name = Русский
language-usage = Язык моих ответов вам: <b>{ $current }</b>. Чтобы сменить его, отправьте:
language-choice = <code>/language { $locale }</code> – { $name }
language-set = Теперь я отвечаю вам по-русски.

refused-role = Для этого нужна роль <b>{ $role }</b>.
action-failed = Не получилось: { $reason }
action-failed-inside = Не получилось: по дороге что-то сломалось. Отправьте команду ещё раз; подробности – в моём журнале.
command-late = ⏳ Команда /{ $command } дошла до меня через { $waited } после отправки, поэтому я её не выполнил. Если она ещё нужна, отправьте её снова.

status-title = <b>Состояние</b>
status-process = 🟢 { $role } на <code>{ $host }</code>, работает { $up }
status-no-bot = 🔴 ни один бот не работает
status-no-worker = 🔴 ни один исполнитель не работает: копии не делаются
status-backup = <b>{ $name }</b>: { $text }
status-backup-never = <b>{ $name }</b>: копий ещё не было
status-backup-unknown = <b>{ $name }</b>: о копиях пока ничего не известно
status-next = следующий { $next }

toast-stranger = Вас нет в списке, поэтому ничего не происходит.
toast-anonymous = Анонимным администратором может быть кто угодно. Нажмите от своего имени: ничего не сделано.
toast-outdated = Эта кнопка устарела. Ничего не сделано.
toast-stray = Это старая копия, действующая – ниже. Ничего не сделано.
toast-other-person = Этот диалог ведёт { $name }. Ничего не сделано.
toast-role = Для этого нужна роль «{ $role }». Ничего не сделано.
toast-dialog-done = Уже подтверждено и выполнено один раз.
toast-dialog-cancelled = Уже отменено. Ничего не сделано.
toast-dialog-expired = Поздно: время этого диалога вышло. Ничего не сделано.
toast-dialog-replaced = Есть более новый диалог. Здесь ничего не сделано.
toast-cancelling = Останавливаю…
toast-retrying = { $name }: заказано снова

dialog-cancelled = Отменено, ничего не запущено. { $command } спросит снова.
dialog-expired = ⌛ Время вышло, ничего не запущено. { $command } спросит снова.
dialog-replaced = Ниже есть более новый диалог. Из этого ничего не запущено.
dialog-again-command = ⏳ Эта команда дошла до меня через { $waited } после отправки, поэтому я её не выполнил. Она ещё в силе?
dialog-again-press = ⏳ Нажатие дошло до меня слишком поздно, поэтому я ничего не выполнил. Это ещё нужно?
dialog-again-lost = ⚠️ Я потерял нить этого диалога, поэтому ничего не выполнил. Спрашиваю ещё раз:

card-cut = Остальное – в файле ниже.
card-moved = ⤵ { $title }: продолжение в другом месте
card-continued = ⤵ { $title }: продолжение в другом сообщении этого чата
card-continued-at = ⤵ { $title }: <a href="{ $url }">продолжение здесь</a>

notice-chat-moved = ⚠️ Чат <b>{ $name }</b> стал супергруппой и получил новый id. Работа продолжается; в <code>vakhta.yaml</code> замените <code>{ $from }</code> на <code>{ $to }</code>.
notice-person-refused = ⚠️ Не могу написать <b>{ $name }</b>: этому человеку нужно открыть @{ $bot } и нажать «Старт». До тех пор всё, что ему адресовано, ждёт.
notice-chat-refused = ⚠️ Telegram отказывается доставлять в чат <b>{ $name }</b> (<code>{ $chat }</code>): { $reason }. Всё, что туда адресовано, ждёт, пока бота снова впустят.
