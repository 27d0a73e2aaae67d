# Серверы, от которых нет данных, и что ещё говорят опросы.

silence-account-token = { $account } не принимает токен: нет данных { $servers ->
    [one] о { $servers } сервере
    [few] о { $servers } серверах
    [many] о { $servers } серверах
   *[other] о { $servers } серверах
}
silence-account-api = { $account } не отвечает: нет данных { $servers ->
    [one] о { $servers } сервере
    [few] о { $servers } серверах
    [many] о { $servers } серверах
   *[other] о { $servers } серверах
}

silence-account-text =
    { $reason }
    Показанные значения устарели. О каждом сервере отдельно пока не сообщается.

silence-deleted = Сервера { $server } больше нет у провайдера
silence-deleted-text = Его удалили в { $provider }. Если так и задумано, уберите его из конфигурации.
silence-blocked = Сервер { $server } остановлен провайдером
silence-blocked-text = { $provider } заблокировал его, чаще всего за неоплату. Проверьте баланс аккаунта.
silence-off = Сервер { $server } выключен
silence-off-text = Так сообщает { $provider }, а отсюда его никто не выключал.
silence-stuck = Сервер { $server } не даёт данных: он давно не включён и не выключен
silence-stuck-text = { $provider } больше 20 минут сообщает, что сервер запускается, останавливается или обслуживается. Проверьте его в панели провайдера.
silence-unreachable = Сервер { $server } не отвечает
silence-refused = Сервер { $server } не пускает к своим данным
silence-garbage = Ответ сервера { $server } не удаётся разобрать
silence-no-data = Сервер { $server } не даёт данных
silence-api = О сервере { $server } ничего не известно
silence-taken-out = Сервера больше нет в конфигурации.

server-renamed = У провайдера сервер { $server } переименован
server-renamed-text = Там он назывался { $from }, теперь { $to }. Здесь он по-прежнему { $server }.

watch-polls = { $servers ->
    [1] { $names }: опрос запаздывает
    [one] Запаздывает опрос { $servers } сервера
    [few] Запаздывает опрос { $servers } серверов
    [many] Запаздывает опрос { $servers } серверов
   *[other] Запаздывает опрос { $servers } сервера
}
watch-polls-text =
    { $names }: опросы опаздывают больше чем на два интервала, поэтому значения устарели и правила не срабатывают.
    Проверьте, живы ли воркеры и успевают ли они, и посмотрите их журнал; если у одного аккаунта очень много серверов, увеличьте stats.every или rate аккаунта.

config-check-servers = серверы: { $names }
config-check-rules = правила: { $names }

check-account = аккаунт
check-servers = серверы
check-worker = воркер на

doctor-account-ok = { $servers ->
    [0] отвечает; серверов из него в конфигурации нет.
    [one] отвечает; найден { $servers } сервер.
    [few] отвечает; найдены все { $servers } сервера.
    [many] отвечает; найдены все { $servers } серверов.
   *[other] отвечает; найдены все { $servers } сервера.
}
doctor-account-missing = отвечает, но найдено серверов: { $found } из { $servers }. Нет: { $names }. Исправьте id или уберите их.
doctor-servers-ok = отвечают все: { $servers }.
doctor-servers-silent = отвечают { $found } из { $servers }. Молчат: { $names }. Проверьте адреса и доступны ли они отсюда.
doctor-worker-ok = работает.
doctor-worker-missing = там не работает ни один воркер, и о сервере ничего не известно. Запустите его или исправьте host: и WORKER_HOST.
doctor-worker-unknown = без Redis этого не узнать.
