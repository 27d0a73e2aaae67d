# Что провайдеры сообщают помимо измерений: /servers, аккаунты, управляемые базы, бакеты.

error-inventory-none = у провайдера { $account } нет управляемых баз
error-inventory-slow = провайдер отвечает слишком долго
error-provider-unknown = провайдера { $name } нет: см. providers в конфигурации
error-managed-gone = у провайдера { $account } больше нет базы { $id }
error-managed-backup-gone = этой копии у провайдера больше нет
error-managed-backup = провайдер не смог сделать копию
error-auto-backups-same = менять нечего: настройки уже такие
error-auto-backups-changed = настройки тем временем изменил кто-то другой: посмотрите на них и попросите снова
error-auto-backups-not-taken = провайдер { $account } не принял настройки: проверьте их в его панели

managed-same-provider = ⚠️ Эти копии хранит тот же провайдер: это не копия в другом месте.
managed-backup-title = Копия базы { $name } у { $account }
managed-backup-ordered = В работе; как идёт дело, показывает отдельная карточка.
managed-detail-type = Тип: { $type }
managed-auto-title = Автокопии базы { $name } у { $account }: новые настройки
managed-auto-done = Новые настройки у провайдера.
managed-change-on = • выключены → <b>включены</b>
managed-change-off = • включены → <b>выключены</b>: сами копии больше не делаются
managed-change-copies = • Хранить копий: { $from } → <b>{ $to }</b>
managed-change-interval = • Как часто: { $from ->
    [day] каждый день
    [week] каждую неделю
    [month] каждый месяц
   *[none] –
} → <b>{ $to ->
    [day] каждый день
    [week] каждую неделю
    [month] каждый месяц
   *[none] –
}</b>
managed-change-day = • День: { $from ->
    [d1] понедельник
    [d2] вторник
    [d3] среда
    [d4] четверг
    [d5] пятница
    [d6] суббота
    [d7] воскресенье
   *[d0] –
} → <b>{ $to ->
    [d1] понедельник
    [d2] вторник
    [d3] среда
    [d4] четверг
    [d5] пятница
    [d6] суббота
    [d7] воскресенье
   *[d0] –
}</b>
managed-change-start = • Первая: { $from } → <b>{ $to }</b>

command-servers = Серверы: состояние, адреса, журнал, копии, расходы

servers-title = <b>Серверы</b>: { $counts }
servers-none = Серверов в конфигурации нет. Добавьте их в раздел <code>servers</code>.
servers-none-such = Серверов с таким именем или метками нет.
servers-near = Сервера «{ $said }» нет. Может быть, <code>{ $near }</code>?
servers-filter = Отбор: { $filter }
servers-line = { $mark } <b>{ $name }</b> · { $status }
servers-line-more = <i>{ $more }</i>
servers-incidents = { $count ->
    [one] { $count } инцидент
    [few] { $count } инцидента
    [many] { $count } инцидентов
   *[other] { $count } инцидента
}
servers-seen = { $age } назад
servers-heard = последние вести { $age } назад
servers-unheard = вестей ещё не было
servers-unseen = ещё не опрошен
servers-up = работает { $duration }
servers-status-none = пока неизвестно
servers-status-on = включён
servers-status-off = выключен
servers-status-starting = включается
servers-status-stopping = выключается
servers-status-rebooting = перезагружается
servers-status-busy = с ним работает провайдер
servers-status-blocked = заблокирован провайдером
servers-status-removed = удалён
servers-status-unknown = неизвестно
servers-failure-gone = у провайдера его нет
servers-failure-unreachable = не отвечает
servers-failure-refused = не пускает
servers-failure-garbage = отвечает неразборчиво
servers-failure-no-data = не даёт данных
servers-labels = <i>{ $labels }</i>
servers-booted = ⏱ { $uptime } (с { $at })
servers-failing = ❗ С { $since }, { $count ->
    [one] { $count } опрос
    [few] { $count } опроса
    [many] { $count } опросов
   *[other] { $count } опроса
} впустую: { $reason }
servers-metric-cpu = CPU { $percent } %
servers-metric-memory = память { $percent } %
servers-metric-disk = диск { $percent } %
servers-values = { $values } ({ $age } назад)
servers-values-old = Последнее известное, { $age } назад: { $values }
servers-looked = Опрошен { $age } назад
servers-not-looked = Его ещё не опрашивали.
servers-provider = Провайдер: { $where }
servers-cores = { $count ->
    [one] { $count } ядро
    [few] { $count } ядра
    [many] { $count } ядер
   *[other] { $count } ядра
}
servers-memory = память { NUMBER($size) } ГиБ
servers-disk = 💾 Диск { $disk }: { $size }
servers-disk-used = 💾 Диск { $disk }: { $used } из { $size }
servers-addresses = 🌐
servers-no-incidents = Открытых инцидентов нет.
servers-incidents-quiet = 🔕 Открыто, но заглушено: { $count }
servers-incidents-title = <b>Открытых инцидентов: { $count }</b>
servers-actions-title = <b>Журнал действий у провайдера</b>
servers-action = { $at } · { $event }
servers-nothing = Нет.
servers-backups-title = <b>Копии дисков у провайдера</b>
servers-disk-backups = Диск { $disk }: { $count }
servers-disk-backups-system = Системный диск { $disk }: { $count }
servers-console = <a href="{ $url }">Открыть консоль</a>
servers-asking = ⏳ Спрашиваем провайдера; ответ появится сам.
servers-as-of = <i>По состоянию { $age } назад</i>
servers-unasked = ⚠️ С { $since } узнать не удаётся: { $reason }
provider-backup-done = ✓ { $at }
provider-backup-making = ⏳ { $at }, { $percent } %
provider-backup-failed = ❌ { $at }, не получилась
provider-backup-unknown = ? { $at }
provider-backup-comment = <i>{ $comment }</i>

button-server-stats = 📈 Графики
button-server-reboot = ⟳ Перезагрузить…
button-server-start = ⏻ Включить…
button-account = 💳 { $account }
button-servers = ◀ Серверы
button-databases = Базы: { $count }
button-buckets = Бакеты: { $count }
button-domains = Домены: { $count }
account-title = 💳 <b>{ $account }</b>
account-servers = { $count ->
    [one] { $count } сервер в конфигурации
    [few] { $count } сервера в конфигурации
    [many] { $count } серверов в конфигурации
   *[other] { $count } сервера в конфигурации
}
account-nothing = Кроме измерений, провайдер ничего не сообщает.
account-balance = Баланс: <b>{ $balance } { $currency }</b>
account-cost = Расход: { $cost } { $currency } в час, около { $month } в месяц
account-lasts = { $mark } Хватит на { $duration }, до { $at }
account-lasts-hour = { $mark } По последним данным, не хватит и на час.
account-lasts-none = { $mark } Деньги кончились.
account-lasts-free = 🟢 Ничего не расходуется.
account-lasts-unknown = На сколько хватит, неизвестно.
account-domains-soon = <b>Пора продлить домены</b>
account-buckets-full = <b>Почти полные бакеты</b>
domains-title = 🌐 <b>Домены { $account }</b>
domains-line = { $mark } { $domain }: до { $at }, { $days } д
domains-ended = { $mark } { $domain }: истёк { $at }
domains-unknown = ⚪ { $domain }: срок неизвестен
buckets-title = 🪣 <b>Бакеты { $account }</b>
buckets-line = { $mark } <b>{ $bucket }</b>: { $used } из { $limit } { $bar } { $percent } %
buckets-line-unlimited = { $mark } <b>{ $bucket }</b>: { $used }, без ограничения
buckets-more = <i>{ $more }</i>
buckets-objects = { $count ->
    [one] { $count } объект
    [few] { $count } объекта
    [many] { $count } объектов
   *[other] { $count } объекта
}

databases-title = 🗄 <b>Управляемые базы { $account }</b>
databases-line = { $mark } <b>{ $name }</b> · { $type } · { $status }
databases-of = <i>База { $id } у { $account }</i>
databases-status-on = включена
databases-status-off = выключена
databases-status-busy = с ней работает провайдер
databases-status-unknown = неизвестно
databases-disk = Диск: { $used } из { $size } ({ $percent } %)
databases-gone = У { $account } нет базы { $id }.
databases-backups-title = <b>Копий у провайдера: { $count }</b>
databases-more = … и ещё { $count } старше
databases-auto-on = Автокопии: включены
databases-auto-off = Автокопии: <b>выключены</b>
databases-auto-interval = Как часто: { $interval ->
    [day] каждый день
    [week] каждую неделю
    [month] каждый месяц
   *[none] ?
}{ $day ->
    [d1] , по понедельникам
    [d2] , по вторникам
    [d3] , по средам
    [d4] , по четвергам
    [d5] , по пятницам
    [d6] , по субботам
    [d7] , по воскресеньям
   *[d0] {""}
}
databases-auto-copies = Хранить копий: { $count }
databases-auto-start = Начиная с: { $at }
button-database-backup = Сделать копию…
button-auto-backups = Автокопии…
button-database-backups = Её копии
toast-database-backups = Её копии
toast-database-backup = Запрошено: карточку ниже нужно одобрить
toast-databases-unknown = Какие есть базы, сейчас неизвестно: обновите и попробуйте снова.
toast-database-gone = Этой базы больше нет. Ничего не сделано.
toast-auto-backups-unknown = Настройки сейчас неизвестны: обновите и попробуйте снова.
toast-auto-backups-same = Менять нечего.
toast-auto-backups-asked = Запрошено: карточку ниже нужно одобрить

auto-backups-title = 🗓 <b>Автокопии { $name }</b> у { $account }
auto-backups-now = <b>Сейчас</b>
auto-backups-wanted = <b>Нужно</b>
auto-backups-changes = <b>Что изменится</b>
auto-backups-none = Пока ничего.
auto-backups-fewer = ❗ Копий станет меньше, чем сейчас: нужно будет ввести имя.
auto-backups-asked = Запрошено; как идёт дело, показывает карточка.
auto-backups-given-up = Оставлено как есть.
button-auto-on = Включить
button-auto-off = Выключить
button-auto-fewer = − 1 копия
button-auto-more = + 1 копия
button-auto-many-more = + 7
button-auto-day = Каждый день
button-auto-week = Каждую неделю
button-auto-month = Каждый месяц
button-auto-weekday = Следующий день недели
button-auto-earlier = − 1 ч
button-auto-later = + 1 ч
button-auto-ask = Запросить…

database-backup-title-ordering = 🕓 <b>Копия базы { $name }</b> у { $account }: заказывается
database-backup-title-making = 💾 <b>Копия базы { $name }</b> у { $account }: делается
database-backup-title-done = ✅ <b>Копия базы { $name }</b> у { $account }: готова
database-backup-title-failed = ❌ <b>Копия базы { $name }</b> у { $account }: не получилась
database-backup-title-unclear = ⚠️ <b>Копия базы { $name }</b> у { $account }: судьба неизвестна
database-backup-asking = Спрашиваем провайдера.
database-backup-unanswered = Провайдер не ответил ясно; прежде чем повторить, смотрим в его список копий.
database-backup-progress = { $bar } { $percent } %
database-backup-unnamed = Провайдер принял заказ и не сказал, какая это копия; ищем её в списке.
database-backup-size = Размер: { $size }
database-backup-took = Заняло { $duration }
database-backup-elapsed = Прошло { $duration }
database-backup-error = { $reason }
database-backup-unclear = Что стало с заказом, узнать не удалось, и он не повторяется: прежде чем просить снова, посмотрите в список копий.
database-backup-unseen = ⚠️ С { $since } провайдер не отвечает: { $reason }
database-backup-by = Запросил(а) { $by }, { $at }
database-backup-comment = Комментарий у провайдера: <code>{ $comment }</code> · { $type }

watch-balance = Баланс { $account } заканчивается
watch-balance-days = Осталось { $balance } { $currency }{ $spent ->
    [yes] {" "}при расходе { $cost } { $currency } в час
   *[no] {""}
}: хватит примерно на { $count ->
    [one] { $count } день
    [few] { $count } дня
    [many] { $count } дней
   *[other] { $count } дня
}. Пополните баланс, иначе провайдер остановит всё, что там работает.
watch-balance-hours = Осталось { $balance } { $currency }{ $spent ->
    [yes] {" "}при расходе { $cost } { $currency } в час
   *[no] {""}
}: { $count ->
    [0] не хватит и на час
    [one] хватит примерно на { $count } час
    [few] хватит примерно на { $count } часа
    [many] хватит примерно на { $count } часов
   *[other] хватит примерно на { $count } часа
}. Пополните баланс сейчас, иначе провайдер остановит всё, что там работает.
watch-balance-none = Осталось { $balance } { $currency }: платить больше нечем. Пополните баланс сейчас, иначе провайдер остановит всё, что там работает.
watch-domain = Домен { $domain } скоро истекает
watch-domain-text = Истекает { $at }. Продлите его у { $account }.
watch-domain-ended = Домен { $domain } истёк
watch-domain-ended-text = Истёк { $at }. Продлите его у { $account }, пока его не занял кто-то другой.
watch-bucket = Бакет { $bucket } у { $account } почти полон
watch-bucket-text = Занято { $percent } % из { $limit } { $unit ->
    [kilobyte] кБ
    [megabyte] МБ
   *[gigabyte] ГБ
}. Что не поместится, не примут: удалите лишнее или закажите больше места.
watch-account = Сколько тратит и хранит { $account }, больше неизвестно
watch-account-text = Провайдер не сообщает об этом с { $since }: { $what }. До тех пор никто не предупредит о пустом балансе, истекающих доменах и полных бакетах.
watch-account-finances = деньги
watch-account-domains = домены
watch-account-buckets = бакеты
watch-account-databases = базы
watch-account-more = { $one }, { $rest }
