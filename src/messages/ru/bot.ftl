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
help-end = Ничего не меняется, пока не нажата кнопка.

whoami = { $name }: id <code>{ $id }</code>, роль <b>{ $role }</b>; чат <code>{ $chat }</code>
whoami-topic = { $name }: id <code>{ $id }</code>, роль <b>{ $role }</b>; чат <code>{ $chat }</code>, тема <code>{ $topic }</code>

language-usage = Я отвечаю вам на языке <b>{ $current }</b>. Чтобы сменить: /language и одно из { $choices }.
language-set = Теперь я отвечаю вам по-русски.

refused-role = Для этого нужна роль <b>{ $role }</b>.
action-failed = Не получилось: { $reason }

status-title = <b>Состояние</b>
status-process = 🟢 { $role } на <code>{ $host }</code>, работает { $up }
status-no-bot = 🔴 ни один бот не работает
status-no-worker = 🔴 ни один исполнитель не работает: копии не делаются
status-backup = <b>{ $name }</b>: { $text }
status-backup-never = <b>{ $name }</b>: копий ещё не было
status-latest-queued = запуск ждёт очереди
status-latest-running = идёт запуск
status-latest-failed = последний запуск <b>не удался</b>
status-latest-cancelled = последний запуск отменён
status-latest-degraded = не хватает одной копии
status-latest-succeeded = готово
status-next = следующий { $next }

toast-stranger = Вас нет в списке, поэтому ничего не происходит.
toast-outdated = Эта кнопка устарела. Ничего не сделано.
toast-stray = Это старая копия, действующая карточка ниже. Ничего не сделано.
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
dialog-again-command = ⏳ Этот приказ дошёл до меня через { $waited } после отправки, поэтому я его не выполнил. Он ещё в силе?
dialog-again-press = ⏳ Нажатие дошло до меня слишком поздно, поэтому я ничего не выполнил. Это ещё нужно?

card-cut = Остальное – в файле ниже.

notice-chat-refused = ⚠️ Telegram отказывается доставлять в чат <code>{ $chat }</code>: { $reason }. Всё, что туда адресовано, ждёт, пока бота снова впустят.
