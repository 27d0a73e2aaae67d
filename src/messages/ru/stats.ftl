# /stats: все серверы таблицей, один сервер картинкой.

command-stats = Процессор, память, диски: все серверы или график одного

stats-none-configured = Серверы не настроены: перечислите их в разделе <code>servers</code> настроек.
stats-summary = { $total ->
    [one] <b>{ $text } сервер</b>
    [few] <b>{ $text } сервера</b>
    [many] <b>{ $text } серверов</b>
   *[other] <b>{ $text } сервера</b>
}
stats-count-on = включено { $count }
stats-count-off = выключено { $count }
stats-count-silent = молчит { $count }
stats-count-never = ещё не опрошено { $count }
stats-oldest = самому старому замеру { $age }
stats-filter = Отбор: <code>{ $filter }</code>
stats-at = <i>{ $at }</i>
stats-page = <i>{ $at } · стр. { $page } из { $pages }</i>

stats-column-server = сервер
stats-column-cpu = ЦП
stats-column-memory = ОЗУ
stats-column-disk = ДСК
stats-column-load = НГР

stats-never = ещё не опрошен
stats-status-on = включён
stats-status-off = выключен
stats-status-starting = включается
stats-status-stopping = выключается
stats-status-rebooting = перезагрузка
stats-status-busy = занят провайдером
stats-status-blocked = заблокирован
stats-status-removed = удалён
stats-status-unknown = статус неизвестен
# Не длиннее 13 знаков: дальше идёт время.
stats-silent-account = нет API
stats-silent-gone = исчез
stats-silent-unreachable = нет ответа
stats-silent-refused = отказ
stats-silent-garbage = нечитаемо
stats-silent-no-data = нет данных
stats-silent-old = нет вестей

stats-unknown = Сервера «{ $word }» нет. Все серверы показывает /stats.
stats-unknown-near = Сервера «{ $word }» нет. Может быть, <code>{ $near }</code>?
stats-bad-range = «{ $word }» не подходит как срок графика: нужен один, от 10m до 1100d, например <code>/stats web-1 24h</code>.
stats-which = График строится для одного сервера: назовите его. { $fit ->
    [none] Ни один сервер не подходит.
    [more] Подходят { $names } и другие.
   *[some] Подходят: { $names }.
}
stats-gone = Сервера { $name } в настройках больше нет.

stats-caption = { $mark } <b>{ $name }</b>
stats-up = работает { $up }
stats-value-cpu = ЦП { $value }
stats-value-memory = память { $value }
stats-value-disk = диск { $value }
stats-value-load = нагрузка { $value }
stats-free = свободно { $free }
stats-reason = <i>{ $text }</i>
stats-incident = { $mark } { $title } · { $lasted }
stats-boots = ▼ Перезапуски: { $times }
stats-measured = <i>{ $at } · замер { $age } назад</i>
stats-range-1h = 1 ч
stats-range-24h = 24 ч
stats-range-7d = 7 д
stats-range-30d = 30 д
button-stats-incidents = { $n ->
    [one] { $count } тревога
    [few] { $count } тревоги
    [many] { $count } тревог
   *[other] { $count } тревоги
}
button-stats-reboot = 🔄 Перезагрузить…
toast-stats-theme-dark = Тёмная тема
toast-stats-theme-light = Светлая тема

chart-cpu = Процессор
chart-memory = Память
chart-disk = Диск
chart-network = Сеть
chart-label = { $known ->
    [nowmax] { $now } · макс. { $max }
    [now] { $now }
    [max] макс. { $max }
   *[none] {""}
}
chart-label-in = вх. { $now }
chart-label-out = исх. { $now }
chart-no-data = нет данных
chart-limit = порог
chart-incident = тревога
chart-boot = перезапуск
chart-off = выключен
chart-range = мин–макс
chart-busy = рисуется слишком много графиков: повторите чуть позже
chart-failed = график не получился; причина в журнале бота
