# Тревоги: карточки тревог и штормов, /alerts, /silence, карточка дня.

command-alerts = Что сейчас не в порядке
command-silence = Тишина: список, начать, закончить

severity-critical = Критично
severity-warning = Предупреждение
severity-info = К сведению

count-firing = { $n ->
    [one] { $text } активная
    [few] { $text } активные
    [many] { $text } активных
   *[other] { $text } активной
}
count-resolved = { $n ->
    [one] { $text } прошла
    [few] { $text } прошли
    [many] { $text } прошло
   *[other] { $text } прошло
}
count-closed = { $n ->
    [one] { $text } закрыта
    [few] { $text } закрыты
    [many] { $text } закрыто
   *[other] { $text } закрыто
}
count-noted = { $n ->
    [one] { $text } событие
    [few] { $text } события
    [many] { $text } событий
   *[other] { $text } события
}
count-critical = { $n ->
    [one] { $text } критическая
    [few] { $text } критические
    [many] { $text } критических
   *[other] { $text } критической
}
count-warning = { $n ->
    [one] { $text } предупреждение
    [few] { $text } предупреждения
    [many] { $text } предупреждений
   *[other] { $text } предупреждения
}
count-info = { $text } к сведению
list-more = и ещё { $count }

button-acknowledge = Принять
button-acknowledge-all = Принять все
button-silence-1h = Тишина 1 ч
button-silence-8h = Тишина 8 ч
button-silence-choose = Ещё…
button-silence-longer = Дольше…
button-unsilence = Закончить тишину
button-end-silence = Закончить { $number }
button-close = Закрыть
button-details = Детали
button-full-list = Весь список
button-alerts = Тревоги
button-back = ◀ Назад
button-refresh = ↻ Обновить

incident-title = { $mark } <b>{ $title }</b>
incident-untitled = (без названия)
incident-state = { $state }
incident-is-firing = { $severity }, с { $since }
incident-is-again = { $severity }, снова с { $since }; { $times ->
    [one] начиналась { $times } раз
    [few] начиналась { $times } раза
    [many] начиналась { $times } раз
   *[other] начиналась { $times } раза
}, впервые { $first }
incident-is-resolved = { $severity }, прошла { $at }, длилась { $duration }
incident-is-closed = { $severity }, закрыл(а) { $by } { $at }, длилась { $duration }
incident-is-noted = { $severity }, { $at }
incident-label = <code>{ $name }</code> <code>{ $value }</code>
incident-text = { $text }
incident-link = <a href="{ $url }">{ $text }</a>
incident-acknowledged = 👤 Занимается <b>{ $by }</b>, с { $at }
incident-silenced = 🔕 Тишина до { $until }, включил(а) { $by }
incident-silenced-because = 🔕 Тишина до { $until }, включил(а) { $by }: { $reason }
incident-flapping = 🔁 Мигает: { $times ->
    [one] { $times } раз
    [few] { $times } раза
    [many] { $times } раз
   *[other] { $times } раза
} за { $within }; без звука, пока не успокоится
incident-stale = ⌛ Источник молчит о ней с { $since }
incident-truncated = ✂️ Отправитель не показал ещё { $count ->
    [one] { $countText } тревогу
    [few] { $countText } тревоги
    [many] { $countText } тревог
   *[other] { $countText } тревоги
}
incident-still-reported = ⚠️ Закрыта, но источник всё ещё сообщает о ней
incident-good-news = ✅ <b>{ $title }</b>: прошла, длилась { $duration }

link-source = Источник
link-dashboard = Grafana
link-panel = Панель
link-alertmanager = Alertmanager
link-silence = Тишина там
link-runbook = Инструкция
link-page = Страница

details-text = Текст
details-labels = Метки
details-history = История
details-links = Ссылки
details-origin = Откуда это
details-source = Источник: { $source }
details-heard = Последний раз сообщили: { $at }
details-id = Id: { $id }, отпечаток: { $identity }
details-event = { $at }: { $what }
details-forgotten = … { $count ->
    [one] здесь опущена { $count } запись
    [few] здесь опущены { $count } записи
    [many] здесь опущено { $count } записей
   *[other] здесь опущено { $count } записи
} …

incident-event-opened = началась
incident-event-reopened = началась снова
incident-event-contradicted = источник всё ещё сообщает: она не проходила
incident-event-resolved = прошла через { $duration }
incident-event-acknowledged = принял(а) { $by } через { $duration } после начала
incident-event-unacknowledged = больше никто не занимается: стало хуже
incident-event-closed = закрыл(а) { $by } через { $duration } после начала
incident-event-silenced = тишина до { $until }, включил(а) { $by }
incident-event-unsilenced = тишина закончилась
incident-event-unsilenced-by = тишину закончил(а) { $by }
incident-event-severity = важность теперь: { $severity }
incident-event-flapping = мигает
incident-event-settled = больше не мигает
incident-event-stale = источник замолчал
incident-event-heard = источник снова сообщает

toast-acknowledged = Принято
toast-acknowledging = Принимаю все активные…
toast-silenced = Тишина на { $duration }
toast-unsilenced = Тишина закончилась
toast-unsilenced-but = Эта тишина закончилась. Другая, включил(а) { $by }, длится до { $until }.
toast-unsilenced-some = Тишина закончилась. Из-за других тишин { $count ->
    [one] молчит ещё { $countText } тревога
    [few] молчат ещё { $countText } тревоги
    [many] молчит ещё { $countText } тревог
   *[other] молчит ещё { $countText } тревоги
}.
toast-silence-of-many = Эта тишина касается не только этой тревоги: смотрите ниже
toast-silenced-for-longer = Тишина уже включена до { $until }, включил(а) { $by }. Ничего не сделано.
toast-closed = Закрыто
toast-choose = Что и на сколько – ниже
toast-details = Ответ ниже
toast-answered = Ответ уже есть ниже
toast-list = Список – ниже
toast-already-acknowledged = Уже занимается { $by }. Ничего не сделано.
toast-already-resolved = Уже прошла. Ничего не сделано.
toast-already-closed = Уже закрыл(а) { $by }. Ничего не сделано.
toast-already-silenced = Тишину уже включил(а) { $by }. Ничего не сделано.
toast-not-silenced = Тишина уже закончилась. Ничего не сделано.
toast-nothing-fires = Активных больше нет. Ничего не сделано.
toast-silence-over = Эта тишина уже закончилась. Ничего не сделано.
toast-view-expired = Это устарело; { $command } покажет заново. Ничего не сделано.

error-incident-unknown = об этой тревоге ничего не сохранилось
error-silence-unknown = об этой тишине ничего не сохранилось

storm-name = ⛈ Шторм, начало { $from }
storm-title = { $mark } <b>{ $numbers }</b>
storm-rages = Шторм с { $from }, пока { $count ->
    [one] { $countText } тревога.
    [few] { $countText } тревоги.
    [many] { $countText } тревог.
   *[other] { $countText } тревоги.
}
storm-over = Шторм утих: { $count ->
    [one] { $countText } тревога
    [few] { $countText } тревоги
    [many] { $countText } тревог
   *[other] { $countText } тревоги
}, { $span }.
storm-late = Telegram был недоступен, { $span }; за это время { $count ->
    [one] { $countText } тревога
    [few] { $countText } тревоги
    [many] { $countText } тревог
   *[other] { $countText } тревоги
}.
storm-own = { $count ->
    [one] У { $countText } из них своя карточка
    [few] У { $countText } из них свои карточки
    [many] У { $countText } из них свои карточки
   *[other] У { $countText } из них свои карточки
}{ $n ->
    [0] .
    [one] , среди этих активна { $firing }.
    [few] , среди этих активны { $firing }.
    [many] , среди этих активны { $firing }.
   *[other] , среди этих активны { $firing }.
}
storm-taken = 👤 { $count ->
    [one] принята { $countText }
    [few] приняты { $countText }
    [many] принято { $countText }
   *[other] приняты { $countText }
}
storm-silenced = 🔕 { $count ->
    [one] без звука { $countText }
    [few] без звука { $countText }
    [many] без звука { $countText }
   *[other] без звука { $countText }
}
storm-left = { $n ->
    [one] Ещё активна { $text }.
    [few] Ещё активны { $text }.
    [many] Ещё активны { $text }.
   *[other] Ещё активны { $text }.
}
storm-nothing-left = Активных больше нет.
storm-severity = { $mark } { $all }, { $n ->
    [one] активна { $firing }
    [few] активны { $firing }
    [many] активны { $firing }
   *[other] активны { $firing }
}
storm-labels = Чаще всего:
storm-label = <code>{ $label }</code> × { $count }
storm-first = Первая: { $title }
storm-newest = Последняя: { $title }, { $at }
storm-criticals = <b>Критические:</b>
storm-critical = { $mark } { $title }
storm-critical-on = { $mark } { $title } · <code>{ $server }</code>
storm-acknowledged = 👤 { $by } занимается: { $count ->
    [0] новых нет, все активные тревоги уже приняты
    [one] принята { $countText } тревога
    [few] приняты { $countText } тревоги
    [many] принято { $countText } тревог
   *[other] принято { $countText } тревоги
}.
storm-list = { $count ->
    [one] { $countText } тревога
    [few] Все { $countText } тревоги
    [many] Все { $countText } тревог
   *[other] Все { $countText } тревоги
} этой карточки, сначала критические.
storm-forgotten = ⛈ Этот шторм был так давно, что о нём ничего не сохранилось.
list-acknowledged = занимается { $by }

alerts-open = <b>Активные тревоги: { $count }</b>
alerts-ended = <b>Закончились за последние { $window }: { $count }</b>
alerts-newest-only = Просмотрены только последние { $count }.
alerts-none = ✅ <b>Активных тревог нет</b>
alerts-none-such = ✅ <b>Среди активных ничего не подходит</b>
alerts-filter = Только: <code>{ $filter }</code>
alerts-line = { $number }. { $mark } <b>{ $title }</b>
alerts-server = <code>{ $server }</code>
alerts-part = { $text }
alerts-at = На { $at }
alerts-page = На { $at }, страница { $page } из { $pages }
alerts-gone = Эта тревога была так давно, что о ней ничего не сохранилось.
alerts-bad-filter = Не понимаю <code>{ $word }</code>. Например: <code>/alerts critical env=prod job=~web.*</code>, <code>/alerts silenced</code> или <code>/alerts history 7d</code>

silences-none = 🔔 <b>Тишины нигде нет</b>
silences-title = 🔕 <b>Тишина: { $count }</b>
silences-line = { $number }.
silence-matchers = <code>{ $matchers }</code>
silence-one = только «{ $title }»
silence-until = до { $until }, включил(а) { $by }
silence-until-because = до { $until }, включил(а) { $by }: { $reason }
silence-covers = { $count ->
    [0] Сейчас под неё не попадает ни одна активная тревога.
    [one] Сейчас под неё попадает { $countText } активная тревога.
    [few] Сейчас под неё попадают { $countText } активные тревоги.
    [many] Сейчас под неё попадает { $countText } активных тревог.
   *[other] Сейчас под неё попадает { $countText } активной тревоги.
}
silence-over = Эта тишина закончилась:
silence-cancelled = Отменено, тишина не включена.
silence-example = Например: <code>/silence env=prod alertname=~"Disk.*" 2h выкатка</code>
alerts-bad-condition = Не понимаю <code>{ $word }</code>. Условия пишутся так: <code>env=prod</code>, <code>env!=prod</code>, <code>job=~"web.*"</code>; что не одно простое слово, то в кавычках.
alerts-bad-severity = Под <code>{ $word }</code> никогда ничего не попадёт: бывает <code>critical</code>, <code>warning</code> и <code>info</code>.
silence-late-condition = <code>{ $word }</code> – это условие? Условия стоят перед причиной; причина с такими словами пишется в кавычках.
silence-two-durations = <code>{ $word }</code> – уже второй срок. В причине его надо взять в кавычки.
silence-no-matcher = Чему молчать? Нет условия на метку.
silence-no-duration = На сколько? Не указано время.
silence-bad-duration = Тишина длится от 1m до 90d.
alerts-bad-pattern = <code>{ $word }</code> – не то регулярное выражение, с которым я могу работать: в нём ошибка, оно слишком велико либо в нём есть обратные ссылки или просмотр вперёд или назад.
silence-too-many = Условий может быть не больше { $word }.
silence-choose = Чему молчать и на сколько?
silence-chosen = Тишина: <b>{ $what }</b>, на <b>{ $duration }</b>?
silence-scope-one = только эта тревога
silence-scope-name = все { $name }
silence-scope-server = всё на { $server }
silence-ask-late = ⏳ Эта команда дошла до меня через { $waited } после отправки, поэтому я её не выполнил. Она ещё в силе?
silence-ask-everything = ⚠️ Так замолчат <b>почти все</b> тревоги: условия исключают лишь некоторые или никакие. Всё равно включить?
silence-would-cover = Сейчас активных тревог: { $open }, из них замолчит: { $countText }.
silence-for = на { $duration }
silence-for-because = на { $duration }: { $reason }

daily-well = ✅ <b>Всё в порядке</b>, { $at }
daily-unwell = ⚠️ <b>Не всё в порядке</b>: { $troubles } ({ $at })
daily-bad-backups = { $n ->
    [one] { $text } копия под вопросом
    [few] { $text } копии под вопросом
    [many] { $text } копий под вопросом
   *[other] { $text } копии под вопросом
}
daily-still-reported = { $n ->
    [one] { $text } закрыта вручную, но всё ещё сообщается
    [few] { $text } закрыты вручную, но всё ещё сообщаются
    [many] { $text } закрыто вручную, но всё ещё сообщается
   *[other] { $text } закрыто вручную, но всё ещё сообщается
}
daily-no-bot = ни один бот не работает
daily-no-worker = ни один исполнитель не работает
daily-none-open = Активных тревог нет
daily-open = Активные тревоги: { $counts }
daily-open-oldest = Активные тревоги: { $counts }; самая давняя с { $since }: { $title }
daily-backups = Копии: { $parts }
daily-backups-good = в порядке { $count }
daily-backups-degraded = { $count } без одной из копий ({ $names })
daily-backups-failed = { $n ->
    [one] не удалась { $count }
    [few] не удались { $count }
    [many] не удалось { $count }
   *[other] не удалось { $count }
} ({ $names })
daily-backups-overdue = { $n ->
    [one] просрочена { $count }
    [few] просрочены { $count }
    [many] просрочено { $count }
   *[other] просрочено { $count }
} ({ $names })
daily-backups-never = { $n ->
    [one] ещё не делалась { $count }
    [few] ещё не делались { $count }
    [many] ещё не делалось { $count }
   *[other] ещё не делалось { $count }
} ({ $names })
daily-processes = Работают: { $bots ->
    [one] { $bots } бот
    [few] { $bots } бота
    [many] { $bots } ботов
   *[other] { $bots } бота
}, { $workers ->
    [one] { $workers } исполнитель
    [few] { $workers } исполнителя
    [many] { $workers } исполнителей
   *[other] { $workers } исполнителя
}
daily-day = За 24 часа: { $parts }
daily-opened = { $n ->
    [one] { $text } тревога началась
    [few] { $text } тревоги начались
    [many] { $text } тревог началось
   *[other] { $text } тревоги началось
}
daily-resolved = { $n ->
    [one] { $text } прошла
    [few] { $text } прошли
    [many] { $text } прошло
   *[other] { $text } прошло
}
daily-closed = { $n ->
    [one] { $text } закрыта вручную
    [few] { $text } закрыты вручную
    [many] { $text } закрыто вручную
   *[other] { $text } закрыто вручную
}
daily-storms = { $n ->
    [one] { $text } шторм
    [few] { $text } шторма
    [many] { $text } штормов
   *[other] { $text } шторма
}
daily-runs = { $n ->
    [one] { $text } копия
    [few] { $text } копии
    [many] { $text } копий
   *[other] { $text } копии
}
daily-failed-runs = { $n ->
    [one] из них { $text } не удалась
    [few] из них { $text } не удались
    [many] из них { $text } не удалось
   *[other] из них { $text } не удалось
}
