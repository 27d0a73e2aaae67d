# Питание серверов: /reboot, /shutdown, /startserver, карточка с ходом дела, что на это время придержано.

command-reboot = Перезагрузить сервер и дождаться его
command-shutdown = Выключить сервер
command-startserver = Включить выключенный сервер

power-what-start = { $server }: включение
power-what-shutdown = { $server }: выключение
power-what-reboot = { $server }: перезагрузка
power-what-hard-reboot = { $server }: жёсткая перезагрузка
power-what-hard-shutdown = { $server }: отключение питания

power-order-start = Распоряжение включить { $server }
power-order-shutdown = Распоряжение выключить { $server }
power-order-reboot = Распоряжение перезагрузить { $server }
power-order-hard-reboot = Распоряжение жёстко перезагрузить { $server }
power-order-hard-shutdown = Распоряжение отключить питание { $server }

power-title-looking = 🔎 <b>{ $what }</b>: смотрю на сервер
power-title-refused = ⛔ <b>{ $what }</b>: сейчас нельзя
power-title-ready = ❓ <b>{ $what }</b>: нужно подтвердить
power-title-asked = 🔐 <b>{ $what }</b>: ждёт одобрения
power-title-ordering = ⚙️ <b>{ $what }</b>: отдаю распоряжение
power-title-following = ⏳ <b>{ $what }</b>: идёт
power-title-late = 🔴 <b>{ $what }</b>: вовремя не закончилось
power-title-unclear = ⚠️ <b>{ $what }</b>: пока неизвестно, сделано ли
power-title-done = ✅ <b>{ $what }</b>: готово
power-title-done-alerts = ☑️ <b>{ $what }</b>: готово, но остались алерты
power-title-failed = ❌ <b>{ $what }</b>: не сделано
power-title-unknown = ⚠️ <b>{ $what }</b>: неизвестно, сделано ли
power-title-lost = ⚪ <b>{ $what }</b>: больше не слежу
power-title-cancelled = 🚫 <b>{ $what }</b>: отозвано
power-title-expired = ⌛ <b>{ $what }</b>: срок истёк

power-hard-warning = Как выдернуть вилку: не записанное на диск пропадёт.
power-state = { $status }{ $word ->
    [none] {""}
   *[other] {" "}(«{ $word }»)
}{ $addresses ->
    [none] {""}
   *[other] {" "}· { $addresses }
}
power-provider-name = У провайдера: { $name }
power-last = Последнее включение или выключение: { $at }
power-last-by = Последнее включение или выключение: { $at } ({ $by })
power-last-unknown = Когда его запускали в последний раз, неизвестно.
power-work = ⚠️ Сейчас там идёт:
power-work-backup = копирование { $name }
power-work-upload = досылка копий { $name }
power-work-verify = проверка { $name }
power-work-restore = восстановление { $name }
power-work-none = Вахта там сейчас ничего не делает.
power-backups = Отсюда снимаются копии: { $names }
power-processes = Там работает Вахта: { $roles }
power-only-worker = ⚠️ На { $server } единственный воркер: пока он не вернётся, следить некому.
power-clients = Подключены там к PostgreSQL (копия { $backup }): { $count }
power-client = { $application } под именем { $user }, база { $database }: { $count }
power-client-unnamed = { $user }, база { $database }: { $count }
power-clients-more = прочие: { $count }
power-clients-unknown = Кто подключён там к PostgreSQL (копия { $backup }), неизвестно: { $reason }
power-incidents = Открытых инцидентов: { $count }
power-incident = { $mark } { $title }
power-incidents-none = Открытых инцидентов нет.
power-unknown = Кто туда вошёл и что там ещё работает, отсюда не видно.
power-no-log = Журнал действий провайдера не читается: если ответ потеряется, никто не узнает, сделано ли.
power-why = Почему:
power-confirm-hint = Подтвердите, и распоряжение уйдёт. Пока ничего не сделано.
power-confirm-hint-hard = Подтвердите, затем напишите имя сервера. Пока ничего не сделано.
power-asked = Одобрение <code>{ $approval }</code>: его карточка ниже.
power-ordering = Обращаюсь к провайдеру. Если ответ потеряется, сначала посмотрю на сервер и журнал действий.
power-error = { $reason }
power-untouched = Сервер не тронут.
power-blind = ⚠️ Провайдер не отвечает с { $since }: { $reason }
power-seen = Последний раз: { $status }, { $at }
power-held = Алерты { $server }, и критические тоже, придержаны, пока всё не закончится: они видны в /alerts.
power-back-by = Жду обратно до { $at }.
power-off-by = Жду выключения до { $at }.
power-alerts-open = { $count ->
    [one] Ещё открыт { $count } алерт сервера.
    [few] Ещё открыты { $count } алерта сервера.
    [many] Ещё открыто { $count } алертов сервера.
   *[other] Ещё открыто { $count } алерта сервера.
}
power-took = Заняло { $duration }.
power-unclear-text = Ответ провайдера потерян, и ни по серверу, ни по журналу не понять, сделано ли. Второй раз не прошу, слежу за сервером.
power-unknown-text = Признаков не было. Второй раз не просили: посмотрите на сервер, прежде чем просить снова.
power-lost-text = Следили достаточно долго, или его место заняло другое распоряжение.
power-late-now-api = Провайдер не отвечает, и никто не знает, что с сервером.
power-late-now-off = Он выключен.
power-late-now-stuck = Он ни включён, ни выключен.
power-late-now-silent = Провайдер говорит, что он включён, но сервер не отвечает.
power-late-now-on = Он всё ещё включён.
power-late-now-running = Он отвечает и не выключался с момента распоряжения: его не перезагрузили.
power-next = Дальше: <code>{ $id }</code>.
power-stage-done = ✔ { $at } { $stage }
power-stage-unseen = ▫️ { $stage } (не видели: между двумя проверками)
power-stage-now = ⏳ { $stage } …
power-stage-open = ▫️ { $stage }
power-stage-ordered = распоряжение отдано
power-stage-going-down = выключается
power-stage-down = выключен
power-stage-booting = загружается
power-stage-answering = отвечает
power-stage-green = проверки в порядке
power-by = { $by }, { $at }
power-by-itself = Сама Вахта, { $at }
power-id = Распоряжение <code>{ $id }</code>
power-console = <a href="{ $url }">Открыть консоль</a>
power-until = Подтвердить до { $at }

server-status-on = Включён
server-status-off = Выключен
server-status-starting = Включается
server-status-stopping = Выключается
server-status-rebooting = Перезагружается
server-status-busy = Им занят провайдер
server-status-blocked = Заблокирован провайдером
server-status-removed = Удалён
server-status-unknown = Состояние неизвестно

button-power-soft = Мягко
button-power-hard = Жёстко…
button-power-hard-reboot = Жёсткая перезагрузка…
button-power-off = Выключить
button-power-hard-off = Отключить питание…
button-power-start = Включить
button-power-look = Ещё раз
button-reboot = Перезагрузить…
button-start-server = Включить

power-choose-server-reboot = <b>Какой сервер перезагрузить?</b>
power-choose-server-shutdown = <b>Какой сервер выключить?</b>
power-choose-server-startserver = <b>Какой сервер включить?</b>
power-choose-reboot = <b>{ $server }</b>: как перезагрузить?
power-choose-shutdown = <b>{ $server }</b>: как выключить?
power-choose-startserver = <b>{ $server }</b>: включить?
power-choose-soft-hint = Мягко: просим систему. Жёстко: как выдернуть вилку.
power-choose-only = <b>{ $what }</b>: запросить?
power-choose-done = Смотрю на сервер, карточка ниже.
power-choose-late = Команда дошла с опозданием в { $waited }. Это ещё нужно?
power-choose-unknown = Сервера { $server } нет.
power-choose-none-configured = Нет серверов, питанием которых можно управлять: для этого провайдеру нужен API ({ $kinds }), см. servers в конфигурации.
power-choose-none = Питанием { $server } отсюда не управлять: провайдер { $provider } этого не умеет.

toast-power-confirmed = Подтверждено
toast-power-looking = Смотрю…
toast-power-next = Спрашиваю…
power-refused-confirm = Подтвердить уже нельзя. Ничего не сделано.
power-refused-cancel = Отзывать поздно.
power-refused-look = Уже идёт или закончилось.
power-refused-next = Сервер этого уже не ждёт.
power-refused-not-yours = Это решает { $by } или администратор. Ничего не сделано.

power-obstacle-on = Он уже включён.
power-obstacle-off = Он уже выключен.
power-obstacle-off-start = Он выключен: лучше включить (/startserver).
power-obstacle-moving = Он уже включается или выключается: посмотрите через минуту.
power-obstacle-busy = Им занят провайдер (установка, клонирование, перенос): посмотрите, когда закончится.
power-obstacle-blocked = Провайдер его заблокировал (не оплачен?): питанием не управлять.
power-obstacle-removed = Провайдер его удалил.

power-detail-work = ⚠️ Сейчас там идёт ({ $count }): { $names }
power-detail-incidents = Открытых инцидентов у него: { $count }
power-detail-last = Последнее включение или выключение: { $at } { $by }
power-note-looking = Ответ про { $server } потерян: смотрю, сделано ли.
power-note-ordered = Провайдер принял; что с { $server }, видно на отдельной карточке.
power-approval-lost = сведения об одобрении пропали; ничего не приказано
power-approval-void = одобрение { $id } недействительно; почему, сказано на его карточке

power-late-title = { $server } не вернулся через { $minutes } мин после распоряжения
power-late-title-off = { $server } не выключился через { $minutes } мин после распоряжения
power-late-text-api = Провайдер не отвечает, и никто не знает, что с сервером. Откройте консоль или панель провайдера.
power-late-text-off = Он выключен. Включите его или откройте консоль.
power-late-text-stuck = Он ни включён, ни выключен. Откройте консоль; может помочь жёсткая перезагрузка.
power-late-text-silent = Провайдер говорит, что он включён, но сервер не отвечает. В консоли видно, где он застрял; может помочь жёсткая перезагрузка.
power-late-text-on = Он всё ещё включён: система не завершается. Откройте консоль; отключить питание можно жёстко.
power-late-title-running = { $server } не перезагружен через { $minutes } мин после распоряжения
power-late-text-running = Он отвечает и не выключался: провайдер принял распоряжение, но ничего не случилось. Посмотрите в панели провайдера; может помочь жёсткая перезагрузка.
power-late-over = { $server } вернулся.
power-late-over-off = { $server } выключен.

incident-held = 🔕 Придержано до { $until }: питание сервера переключают, распорядился(-ась) { $by }
silence-hold = Алерты { $server }, пока переключают его питание
link-console = Консоль

error-power-unknown = Распоряжение { $id } о питании сервера больше не известно.
error-power-no-server = Сервера { $server } нет в конфигурации.
error-power-none = Питанием { $server } не управлять: провайдер { $provider } этого не умеет.
error-power-busy = { $server } занят распоряжением { $id }: дождитесь его конца.
error-power-over = распоряжение { $id } уже закончено
error-power-ignored = Провайдера просили дважды, а с { $server } ничего не происходит. Посмотрите в его панели.
error-power-unclear = Неизвестно, выполнил ли провайдер это с { $server }. Повторять не буду, слежу за сервером.
