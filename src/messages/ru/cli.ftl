## Чтение настроек

config-no-file = настроек нет. Начните с «npm run demo», чтобы осмотреться, или с «npm run vakhta -- init», чтобы их создать.
config-is-directory = это каталог; укажите сам файл YAML.
config-unreadable = файл не читается ({ $reason }). Проверьте владельца и права.
config-not-utf8 = текст не в UTF-8. Сохраните файл в UTF-8.
config-empty = файл пуст. Возьмите за основу vakhta.example.yaml или запустите «npm run vakhta -- init».
config-not-mapping = здесь должны быть настройки вида «ключ: значение». Возьмите за основу vakhta.example.yaml.
config-env-file = файл .env рядом с ним не читается. Проверьте владельца и права.
config-yaml-duplicate-key = этот ключ встречается здесь дважды. Уберите один из них.
config-yaml-tab = отступ сделан табуляцией. Замените её пробелами.
config-yaml-indent = неверный отступ. Выровняйте по строкам выше.
config-yaml-documents = здесь начинается второй документ («---»). Оставьте один.
config-yaml-missing-char = не хватает кавычки, скобки или запятой.
config-yaml-alias = псевдоним («*имя») ни на что не указывает, или псевдонимов слишком много. Впишите само значение.
config-yaml-syntax = ошибка в YAML ({ $code }). Возьмите текст со спецсимволами в кавычки.

config-variable-unset = переменная { $name } не задана. Задайте { $name } или { $name }_FILE.
config-variable-both = заданы и { $name }, и { $name }_FILE. Уберите одну из них.
config-variable-unreadable = файл, указанный в { $name }_FILE, не читается ({ $reason }). Проверьте путь и права.
config-variable-syntax = переменная записана неверно. Пишите {"${NAME}"} или {"${NAME:-значение}"}, а сами эти знаки — как {"$${"}.

config-problem-required = не задано. Нужно { $expected ->
        [number] число
        [int] целое число
        [string] текстовое значение (в кавычках)
        [boolean] true или false
        [array] перечисление (список)
        [object] описание вида «ключ: значение»
        [record] описание вида «имя: значение»
       *[other] другое значение
    }.
config-problem-required-one-of = не задано. Возможные значения: { $values }.
config-problem-type = здесь нужно { $expected ->
        [number] число
        [int] целое число
        [string] текстовое значение (в кавычках)
        [boolean] true или false
        [array] перечисление (список)
        [object] описание вида «ключ: значение»
        [record] описание вида «имя: значение»
       *[other] другое значение
    }.
config-problem-one-of = возможные значения: { $values }.
config-problem-unknown-key = такого ключа нет. Здесь бывает: { $suggestion }.
config-problem-unknown-key-none = такого ключа нет. Здесь нечего настраивать.
config-problem-empty = значение не может быть пустым.
config-problem-short = нужно не меньше { $minimum } знаков.
config-problem-min = наименьшее допустимое значение — { $minimum }.
config-problem-max = наибольшее допустимое значение — { $maximum }.
config-problem-format = значение не подходит по форме ({ $format }).
config-problem-other = недопустимое значение. Смотрите docs/configuration.md.
config-problem-section = раздел не задан, а без него этот процесс работать не может. Смотрите vakhta.example.yaml.
config-problem-name = в имени допустимы только строчные латинские буквы, цифры, «-» и «_»; первой идёт буква или цифра; не длиннее 63 знаков.
config-problem-duration = нужна длительность, например «30s», «5m», «1h30m» или «7d».
config-problem-size = нужен размер, например «512KiB», «8MiB» или «1.5GB».
config-problem-timezone = нужен часовой пояс из базы IANA, например «UTC» или «Europe/Moscow».
config-problem-cron = нужно выражение cron из пяти полей, которое когда-нибудь наступит, например «0 3 * * *» (каждый день в 3:00).
config-problem-url = нужен адрес http:// или https://.
config-problem-redis-url = нужен адрес redis://УЗЕЛ:ПОРТ/БАЗА, с TLS — rediss://; если Redis их требует, перед узлом стоит ИМЯ:ПАРОЛЬ@.
config-problem-redis-prefix = допустимы только латинские буквы, цифры, «-», «_» и фигурные скобки.
config-problem-http-token = нужно не меньше 16 знаков. Создать такой можно командой «openssl rand -hex 24».
config-problem-bot-token = это не токен бота (123456789:AA...). Возьмите его у @BotFather.
config-problem-webhook-url = нужен адрес https:// на порту 443, 80, 88 или 8443.
config-problem-webhook-missing = для режима webhook нужны webhook.url и webhook.secretToken.
config-problem-secret-token = нужно от 1 до 256 знаков из набора A-Z, a-z, 0-9, «_» и «-».
config-problem-nobody = за этим номером не стоит человек (анонимный администратор, канал, Telegram). Узнать номер человека поможет «npm run vakhta -- init».
config-problem-no-admin = хотя бы у одного пользователя должна быть роль admin.
config-problem-approvers = столько одобрений ({ $approvers }) не наберёт никто: роль не ниже { $role } есть у стольких из перечисленных: { $most }. Ожидается не больше; уменьшите approvers или role либо добавьте пользователей.
config-problem-approvers-others = столько одобрений ({ $approvers }) не наберёт никто: кроме того, кто просит, роль не ниже { $role } есть самое большее у стольких: { $most }. Уменьшите approvers или role, добавьте пользователей либо поставьте requesterCounts: true.
config-problem-duplicate-user = этот номер указан у двух пользователей. Уберите одного из них.
config-problem-duplicate-name = это имя встречается дважды. Переименуйте или уберите одно из них.
config-problem-duplicate-chat = этот номер указан у двух чатов. Уберите один из них.
config-problem-same-port = бот и исполнитель не могут слушать один и тот же порт. Выберите другой workerPort.
config-problem-same-place = это то же место, что и { $storage }: копия была бы одна вместо двух, и каждое хранилище удаляло бы то, что другое хранит. Укажите свою папку, префикс или бакет.
config-problem-no-storage = такого хранилища нет. Известны: { $known }.
config-problem-nowhere = хранилищ нет. Опишите хотя бы одно в разделе storages.
config-problem-other-host = хранилище { $storage } находится на диске { $disk }, а эта копия создаётся на { $host }. Укажите хранилища только одного хоста.
config-problem-keep-elsewhere = эта копия в такое хранилище не пишется. Добавьте его в storages этой копии или уберите отсюда.
config-problem-no-chat = такого чата нет. Известны: { $known }.
config-problem-no-topic = такой темы в этом чате нет. Известны: { $known }.
config-problem-encrypt = шифровать не для кого. Опишите раздел encryption с получателями.
config-problem-recipient = нужен получатель age (age1...). Создайте пару ключей командой «npm run vakhta -- keygen».
config-problem-recipient-is-identity = это секретная половина пары ключей. Впишите сюда получателя (age1...), а секрет храните в другом месте.
config-problem-absolute-path = нужен полный путь: он начинается с «/».
config-problem-lease = наименьшее допустимое значение — «2s».
config-problem-duration-min = наименьшее допустимое значение — «{ $minimum }».
config-problem-duration-max = наибольшее допустимое значение — «{ $maximum }».
config-problem-duration-or-off = нужна длительность, например «10m», или off.
config-problem-match = нужно текстовое значение, список таких значений или шаблон, например «/db-.*/». Числа, true и false берите в кавычки.
config-problem-pattern = такое регулярное выражение не годится: в нём ошибка, больше 200 знаков, слишком много повторений, либо обратные ссылки или просмотр вперёд или назад. Исправьте его или уберите косые черты вокруг, если имеется в виду сам текст.
config-problem-span = нужны два времени суток, например «22:00-08:00», либо true или false.
config-problem-keep = нужно all либо количества, например last: 3, daily: 7, weekly: 4, monthly: 12, yearly: 2.
config-problem-time = нужно время суток, например «09:00».
config-problem-texts = нужно текстовое значение или список таких значений.
config-problem-proxy = нужен адрес или сеть, например «10.0.0.0/8», либо loopback, linklocal, uniquelocal.
config-problem-header = нужно имя заголовка, например «X-Signature».
config-problem-source-taken = так называется другой источник. Выберите другое имя.
config-problem-heartbeat-key = нужно от 8 до 128 знаков из набора A-Z, a-z, 0-9, «_» и «-». Создать такой ключ можно командой «openssl rand -hex 16».
config-problem-heartbeat-when = нужно либо every, либо cron: одно из двух, но не оба сразу.
config-problem-duplicate-key = такой ключ уже есть у другого сигнала жизни. Создайте каждому свой.
config-problem-s3-prefix = префикс не может начинаться с косой черты и содержать пробелы.
config-problem-part-size = допустимо от «5MiB» до «5GiB»: таковы правила S3.
config-problem-postgres-url = нужен адрес, который начинается с postgresql://.
config-problem-postgres-url-at = в пароле есть знак @. Запишите его как %40.
config-problem-postgres-url-slash = в пароле есть знак / или ?. Запишите их как %2F и %3F.
config-problem-postgres-url-percent = есть знак %, который ничего не кодирует. Сам процент пишется как %25.
config-problem-postgres-url-sslpassword = sslpassword не поддерживается: libpq берёт его только из командной строки. Возьмите файл ключа без пароля.
config-problem-identity = нужен секретный ключ age (AGE-SECRET-KEY-1...) или несколько, по одному в строке. Создайте пару ключей командой «npm run vakhta -- keygen».
config-problem-server-name = имя сервера состоит из латинских букв, цифр, «-», «_» и «.», начинается с буквы или цифры и не длиннее 63 символов.
config-problem-server-pattern = здесь нужно имя сервера или шаблон, например «web-*».
config-problem-provider-kind = такого вида провайдера нет. Назовите аккаунт по его виду или укажите kind, один из: { $values }.
config-problem-no-provider = такого провайдера нет. Известны: { $known }.
config-problem-no-account = такого аккаунта нет. Опишите его в разделе providers: { $name }.
config-problem-no-server = такого сервера нет. Известны: { $known }.
config-problem-rule =
    { $problem }
    { $place }
config-problem-same-server = это тот же сервер, что и { $server }. Уберите один из них.
config-problem-label = метка состоит из латинских букв, цифр и «_» и начинается с буквы или «_».
config-problem-label-taken = метку с таким именем ставит сама Vakhta. Выберите другое имя.
config-problem-recovery = нужно off, ask или on.

config-warning-later = настройка известна, но в этой версии ещё не действует.
config-warning-unreachable-route = до этого маршрута очередь не дойдёт: всё, что ему подходит, забирает { $earlier }. Поставьте его раньше или уберите.
config-warning-hooks-token = http.token не задан: вебхуки отклоняются, если не подтверждают подписью, откуда пришли. Задайте http.token.
config-warning-short-secret = этот секрет или пароль в этом адресе короче 6 символов: его нельзя скрыть в журналах и сообщениях, и его легко подобрать. Выберите более длинный.

## Командная строка

cli-description = Делает резервные копии, проверяет их и рассказывает о них в чате Telegram.
cli-help-usage = Использование:
cli-help-arguments = Аргументы:
cli-help-options = Параметры:
cli-help-commands = Команды:
cli-help-after = Код завершения: 0 — готово, 1 — не удалось, 2 — неверный вызов, 3 — восстановлено, но отличается, 78 — ошибка в настройках, 130 — прервано.
cli-option-config = файл настроек (по умолчанию — из VAKHTA_CONFIG, иначе vakhta.yaml)
cli-option-help = показать эту справку
cli-option-json = вывести результат в JSON
cli-init = первая настройка: обо всём спросить, всё опробовать и записать vakhta.yaml и .env
cli-init-api-root = адрес собственного сервера Bot API
cli-config = настройки
cli-config-check = проверить настройки и показать сразу все ошибки
cli-doctor = опробовать всё, что упомянуто в настройках
cli-backup = сделать резервную копию сейчас
cli-backup-here = в этом же процессе, без Redis и бота
cli-backups = показать резервные копии, которые лежат в хранилищах
cli-keygen = создать пару ключей для шифрования
cli-interrupted = прервано.

cli-phase-waiting = ожидание
cli-phase-preflight = осмотр источника
cli-phase-dump = выгрузка
cli-phase-finish = завершение и контрольное чтение
cli-phase-manifest = запись манифеста

config-check-ok = { $file }: ошибок нет
config-check-problems = { $count ->
        [one] { $count } ошибка.
        [few] { $count } ошибки.
        [many] { $count } ошибок.
       *[other] { $count } ошибки.
    }
config-check-chats = чаты: { $names }
config-check-users = пользователи: { $names }
config-check-storages = хранилища: { $names }
config-check-backups = резервные копии: { $names }
config-check-heartbeats = сигналы жизни: { $names }

keygen-advice = Строка, которая начинается с age1, — получатель: впишите его в encryption.recipients. Строка, которая начинается с AGE-SECRET-KEY-, — секретный ключ: без него не прочитать ни одной копии. Храните его в менеджере паролей или на бумаге, отдельно от серверов, где делаются копии.

cli-backups-none = резервных копий нет.
cli-backups-id = ID
cli-backups-time = ВРЕМЯ
cli-backups-name = ИМЯ
cli-backups-size = РАЗМЕР
cli-backups-copies = КОПИИ

cli-backup-unknown = копии с именем { $name } нет. Известны: { $known }.
cli-backup-no-storage-here = ни одно из хранилищ копии { $name } не относится к этому узлу.
cli-backup-ordered = заказано: запуск { $run }
cli-backup-no-worker = ни один исполнитель не работает: запуск ждёт, пока появится хотя бы один.
cli-backup-goes-on = больше не слежу; запуск { $run } продолжается.
cli-backup-cancelled = отменил(а) { $by }.
cli-backup-done = готово: { $id }, { $size } за { $elapsed }, SHA-256 { $sha256 }...
cli-backup-copy = { $storage }: { $location }
cli-backup-left = из хранилища { $storage } не удалось убрать незаконченные части; копией они не являются
cli-backup-copy-failed = в хранилище { $storage } копии нет: { $reason }
cli-backup-failed-in = сбой на шаге: { $step }

## doctor: что проверяется и что найдено

check-telegram = бот
check-updates = обновления
check-chat = чат
check-clock = часы
check-redis = Redis
check-source = источник
check-storage = хранилище
check-hooks = вебхуки
check-encryption = шифрование

doctor-config-ok = настройки: в { $file } ошибок нет.
doctor-all-well = Всё в порядке.
doctor-failures = { $count ->
        [one] { $count } проверка не прошла.
        [few] { $count } проверки не прошли.
        [many] { $count } проверок не прошли.
       *[other] { $count } проверки не прошли.
    }
doctor-failed = { $reason }
doctor-timeout = нет ответа, ждали { $seconds } с.
doctor-no-secret = секрет здесь не задан; проверяется там, где он есть.
doctor-other-host = относится к узлу { $host }; проверяйте там.

doctor-telegram-ok = @{ $username } ({ $name }).
doctor-telegram-token = Telegram не знает такого токена. Скопируйте его у @BotFather ещё раз или создайте там новый.
doctor-telegram-unreachable = нет связи с { $host }. Проверьте сеть или укажите в telegram.apiRoot доступный сервер.
doctor-telegram-conflict = обновления этого бота забирает другая программа. Остановите её или возьмите другого бота.
doctor-telegram-refused = Telegram отказал: { $reason }.
doctor-updates-polling = бот забирает их сам.
doctor-updates-webhook = приходят на вебхук; { $pending ->
        [one] в очереди { $pending } обновление
        [few] в очереди { $pending } обновления
        [many] в очереди { $pending } обновлений
       *[other] в очереди { $pending } обновления
    }.
doctor-updates-webhook-set = задан вебхук на { $host }, поэтому забирать обновления самому не получится. Удалите его (deleteWebhook) или возьмите другого бота.
doctor-updates-webhook-unset = вебхук ещё не задан; бот задаст его при запуске.
doctor-updates-webhook-other = вебхук ведёт на { $host }, а не на telegram.webhook.url. Запустите бота или остановите того, кто его задал.
doctor-updates-webhook-error = Telegram не может доставить: { $reason }. Проверьте, что адрес доступен снаружи, а сертификат действителен.
doctor-chat-ok = писать можно: { $title }{ $topics ->
        [0] {""}
        [one] {" "}({ $topics } тема)
        [few] {" "}({ $topics } темы)
        [many] {" "}({ $topics } тем)
       *[other] {" "}({ $topics } темы)
    }.
doctor-chat-topic = в тему { $topic } писать нельзя: { $reason }. Исправьте её номер или откройте тему снова.
doctor-chat-unreachable = писать туда нельзя: { $reason }. Исправьте номер или добавьте бота в чат ещё раз.
doctor-clock-ok = идут верно.
doctor-clock-unknown = сервер не сообщает время.
doctor-clock-skew = расходятся на { $seconds ->
        [one] { $seconds } секунду
        [few] { $seconds } секунды
        [many] { $seconds } секунд
       *[other] { $seconds } секунды
    }. Включите синхронизацию времени (timedatectl set-ntp true).
doctor-redis-ok = { $version }.
doctor-redis-unreachable = нет связи с { $host }: { $reason }. Проверьте, что Redis работает, и адрес в redis.url.
doctor-redis-password = Redis не принимает имя или пароль из redis.url.
doctor-redis-old = версия { $version } слишком старая. Нужна 6.2 или новее.
doctor-redis-policy = maxmemory-policy — { $policy }, поэтому задания и карточки могут пропасть. Задайте noeviction.
doctor-redis-persistence = { $version }; работает, но без журнала на диске: при сбое Redis забудет последние события. Задайте appendonly yes.
doctor-source-ok = { $title }.
doctor-source-aside = { $title }. Там лежит отложенное { $count ->
    [one] { $count } восстановлением
    [few] { $count } восстановлениями
    [many] { $count } восстановлениями
   *[other] { $count } восстановлениями
}: { $list }. Оно удаляется, когда выйдет срок отмены; то, чего не знает уже ни одна карточка, раз данные Redis потеряны, удаляют вручную (docs/runbook.md).
doctor-storage-ok = запись, чтение и удаление работают: { $location }.
doctor-storage-local-ok = запись, чтение и удаление работают: { $location }, свободно { $free } ({ $percent } %).
doctor-storage-low = работает, но свободно только { $free } ({ $percent } %): { $location }. Освободите место или перенесите хранилище.
doctor-hooks-ok = принимаются с http.token.
doctor-hooks-closed = http.token не задан: принимается только подписанное. Задайте его, чтобы получать оповещения.
doctor-encryption-ok = { $recipients ->
        [one] зашифровано для { $recipients } получателя
        [few] зашифровано для { $recipients } получателей
        [many] зашифровано для { $recipients } получателей
       *[other] зашифровано для { $recipients } получателя
    } и прочитано секретным ключом.
doctor-encryption-write-only = { $recipients ->
        [one] зашифровано для { $recipients } получателя
        [few] зашифровано для { $recipients } получателей
        [many] зашифровано для { $recipients } получателей
       *[other] зашифровано для { $recipients } получателя
    }; секретного ключа здесь нет, поэтому прочитать здесь ничего нельзя: восстановит только тот, у кого ключ. Убедитесь, что он надёжно хранится, и попробуйте его там, где он есть: doctor или verify.
doctor-encryption-identity = секретный ключ не читает то, что зашифровано для получателей. Впишите в encryption.recipients его собственного получателя.

## init: диалог

init-yes = д
init-no = н
init-language = Язык
init-timezone = Часовой пояс расписаний
init-trying = Пробуем...
init-keep-anyway = Всё равно оставить?
init-overwrite = Файл { $file } уже есть. Записать новый?
init-overwrite-variables = В { $file } другие значения: { $names }. Заменить?
init-nothing-written = Ничего не записано.
init-written = Записано: { $file }; секреты — в { $env } (доступен только вам).
init-next = Запустите «npm start» или «docker compose up -d --build» и отправьте боту /backup. Оповещения присылают с HTTP_TOKEN из .env: как — сказано в docs/alerts.md. Снова опробовать всё можно в любое время: «npm run vakhta -- doctor».

init-looking-for-rivals = Смотрим, не пользуется ли ботом другая программа...
init-bot-hint = Создайте бота: отправьте /newbot пользователю @BotFather в Telegram и скопируйте токен.
init-bot-token = Токен бота
init-pair-private = Кто будет первым администратором? Откройте { $link } и нажмите «Старт» или отправьте @{ $username }: { $command }
init-pair-group = Откройте { $link } и выберите группу или отправьте в группе (на форуме — в нужной теме): { $command }
init-pair-waiting = Ждём код (действует { $minutes ->
        [one] { $minutes } минуту
        [few] { $minutes } минуты
        [many] { $minutes } минут
       *[other] { $minutes } минуты
    })...
init-pair-expired = Время этого кода вышло.
init-pair-again = Создать новый?
init-paired-admin = Администратор: { $name } ({ $id }).
init-paired-group = Группа: { $title }.
init-place = Куда присылать оповещения и карточки копий, которые делаются по расписанию?
init-place-group = в группу или в её тему
init-place-private = в мой личный чат с ботом
init-refused-anonymous = Код пришёл от анонимного администратора или канала: непонятно, кто это. Снимите «Анонимность» в своих правах администратора и отправьте его снова.
init-refused-other-person = Код пришёл от другого человека. Отправьте его из той учётной записи, которая только что стала администратором.
init-refused-not-private = Код пришёл из группы. Отправьте его в личном чате с ботом.
init-refused-not-group = Код пришёл из личного чата. Отправьте его в группе или теме.
init-reply-admin = Теперь вы администратор этой вахты. Настройка продолжается в терминале.
init-reply-group = Сюда будут приходить сообщения о резервных копиях и оповещения. Настройка продолжается в терминале.

init-redis = Адрес Redis
init-database = Адрес базы PostgreSQL (postgresql://имя@узел:5432/база, с паролем — имя:пароль)
init-backup-name = Имя копии
init-schedule = Когда делать копии: выражение cron («-» — никогда)
init-storage = Где хранить копии?
init-storage-s3 = в хранилище S3
init-storage-local = в каталоге на этом узле
init-storage-both = и там, и там
init-local-path = Каталог
init-local-absolute = нужен абсолютный путь.
init-s3-endpoint = Адрес хранилища S3 (https://...)
init-s3-region = Регион
init-s3-bucket = Бакет
init-s3-prefix = Префикс ключей объектов
init-s3-key = Идентификатор ключа доступа (access key id)
init-s3-secret = Секретный ключ доступа (secret access key)
init-encryption = Шифровать копии?
init-encryption-new = да, с новой парой ключей
init-encryption-own = да, получатель age у меня есть
init-encryption-none = нет
init-recipient = Получатель (age1...)
init-identity = Ваш секретный ключ: { $identity }
    Он показан только сейчас. Без него не прочитать ни одной копии: сохраните его в менеджере паролей или на бумаге.
init-identity-keep = Оставить его и на этом сервере (в .env), чтобы шифрование проверялось здесь? Тогда копии прочтёт и тот, кто захватит сервер.
