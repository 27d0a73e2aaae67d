# Что приходит извне: вебхуки и сигналы жизни.

inbound-shortened = { $text }
    ✂️ Было слишком длинно; здесь опущено: символов { $characters }, меток { $labels }, ссылок { $links }.

inbound-refused = /hooks/{ $hook }: кто-то без верного токена
inbound-refused-text = Отказов: { $count } с { $since }, последний – { $address }, { $at }. Если это ваш отправитель, его алерты не доходят: дайте ему токен из http.token{ $hook ->
    [grafana] {" "}или секрет из hooks.grafana.secret
    [events] {" "}или задайте в его формате секрет, которым он подписывает
   *[other] {""}
}.
inbound-refused-no-token = Отказов: { $count } с { $since }, последний – { $address }, { $at }. Токен не настроен, поэтому не принимается ничего: задайте http.token.
inbound-refused-over = Отказов не было { $minutes } минут.
inbound-unreadable = /hooks/{ $hook }: присланное потеряно
inbound-unreadable-text = Не удалось прочитать сообщений: { $count } с { $since }, последнее – { $address }, { $at }: { $reason }. Отправителю это сказано, и снова он их не пришлёт: посмотрите алерты у него и исправьте то, что он шлёт.
inbound-unreadable-over = Всё удавалось прочитать { $minutes } минут.

heartbeat-late = { $name }: нет сигнала жизни
heartbeat-failed = { $name }: сбой
heartbeat-unfinished = { $name }: начато и не закончено
heartbeat-text-late = { $seen ->
    [0] Ещё ни одного не было; первый ожидался { $due }.
   *[other] Последний пришёл { $last }; следующий ожидался { $due }.
}{ $away ->
    [0] {""}
   *[other] {" "}Сам наблюдатель отсутствовал с { $from } до { $until } и мог его пропустить.
}
heartbeat-text-unfinished = Начато { $start }; на завершение даётся { $grace }.{ $known ->
    [0] {""}
   *[other] {" "}Прошлый запуск длился { $usual }.
}{ $lines ->
    [0] {""}
   *[other] {"\u000A"}{ $output }
}
heartbeat-text-failed = Сообщено самим отправителем { $at }.{ $timed ->
    [0] {""}
   *[other] {" "}Запуск длился { $took }.
}{ $lines ->
    [0] {""}
   *[other] {"\u000A"}{ $output }
}
heartbeat-text-exit = Код завершения { $status }, { $at }.{ $timed ->
    [0] {""}
   *[other] {" "}Запуск длился { $took }.
}{ $lines ->
    [0] {""}
   *[other] {"\u000A"}{ $output }
}
heartbeat-back = Сигнал жизни пришёл.{ $timed ->
    [0] {""}
   *[other] {" "}Запуск длился { $took }.
}
heartbeat-gone = Больше не настроен.
