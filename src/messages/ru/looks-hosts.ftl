# Опрос хостов, которые рассказывают о себе сами: node_exporter и хост воркера.

look-exporter-unreachable = нет связи с { $server } ({ $reason })
look-exporter-timeout = { $server } не отвечает вовремя
look-exporter-refused = { $server } отказывает в доступе (HTTP { $status }): проверьте auth этого сервера в конфигурации
look-exporter-redirect = { $server } отвечает HTTP { $status } и другим адресом: укажите его в конфигурации
look-exporter-status = { $server } отвечает HTTP { $status }: проверьте путь в url, обычно это /metrics
look-exporter-garbage = { $server } отвечает чем-то, что не похоже на метрики
look-exporter-large = ответ { $server } больше { $most } МБ
look-exporter-empty = { $server } отдаёт метрики, но не node_exporter
look-local-proc = не читается { $path } ({ $reason })
look-local-elsewhere = это хост { $here }, а сервер – { $host }

config-problem-exporter-url = укажите пользователя и пароль в auth, а не в адресе.
config-problem-exporter-auth = ожидается либо username с password, либо token.
config-problem-exporter-header = такой заголовок здесь невозможен: нужны имя и значение в ASCII; для Authorization есть auth.
config-problem-exporter-timeout = ожидается не больше 60s.
