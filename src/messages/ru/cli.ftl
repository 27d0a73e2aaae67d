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
config-problem-empty = значение не может быть пустым.
config-problem-min = наименьшее допустимое значение — { $minimum }.
config-problem-max = наибольшее допустимое значение — { $maximum }.
config-problem-format = значение не подходит по форме ({ $format }).
config-problem-other = недопустимое значение. Смотрите docs/configuration.md.
config-problem-text = { $text }
config-problem-section = раздел не задан, а без него этот процесс работать не может. Смотрите vakhta.example.yaml.
config-problem-name = в имени допустимы только строчные латинские буквы, цифры, «-» и «_»; первой идёт буква или цифра; не длиннее 63 знаков.
config-problem-duration = нужна длительность, например «30s», «5m», «1h30m» или «7d».
config-problem-size = нужен размер, например «512KiB», «8MiB» или «1.5GB».
config-problem-timezone = нужен часовой пояс из базы IANA, например «UTC» или «Europe/Moscow».
config-problem-cron = нужно выражение cron из пяти полей, которое когда-нибудь наступит, например «0 3 * * *» (каждый день в 3:00).
config-problem-url = нужен адрес http:// или https://.
config-problem-redis-url = нужен адрес redis://[пользователь:пароль@]узел:порт/база, с TLS — rediss://.
config-problem-redis-prefix = допустимы только латинские буквы, цифры, «-», «_» и фигурные скобки.
config-problem-http-token = нужно не меньше 16 знаков. Создать такой можно командой «openssl rand -hex 24».
config-problem-bot-token = это не токен бота (123456789:AA...). Возьмите его у @BotFather.
config-problem-webhook-url = нужен адрес https:// на порту 443, 80, 88 или 8443.
config-problem-webhook-missing = для режима webhook нужны webhook.url и webhook.secretToken.
config-problem-secret-token = нужно от 1 до 256 знаков из набора A-Z, a-z, 0-9, «_» и «-».
config-problem-nobody = за этим номером не стоит человек (анонимный администратор, канал, Telegram). Узнать номер человека поможет «npm run vakhta -- init».
config-problem-no-admin = хотя бы у одного пользователя должна быть роль admin.
config-problem-duplicate-user = этот номер указан у двух пользователей. Уберите одного из них.
config-problem-duplicate-name = это имя встречается дважды. Переименуйте или уберите одно из них.
config-problem-duplicate-chat = этот номер указан у двух чатов. Уберите один из них.
config-problem-same-port = бот и исполнитель не могут слушать один и тот же порт. Выберите другой workerPort.
config-problem-no-storage = такого хранилища нет. Известны: { $known }.
config-problem-nowhere = хранилищ нет. Опишите хотя бы одно в разделе storages.
config-problem-keep-elsewhere = в этом хранилище нет копий этого бэкапа. Добавьте его в storages бэкапа или уберите отсюда.
config-problem-no-chat = такого чата нет. Известны: { $known }.
config-problem-no-topic = такой темы в этом чате нет. Известны: { $known }.
config-problem-encrypt = шифровать не для кого. Опишите раздел encryption с получателями.
config-problem-recipient = нужен получатель age (age1...). Создайте пару ключей командой «npm run vakhta -- keygen».
config-problem-recipient-is-identity = это секретная половина пары ключей. Впишите сюда получателя (age1...), а секрет храните в другом месте.
config-problem-identity = нужен секретный ключ age (AGE-SECRET-KEY-1...). Создайте пару ключей командой «npm run vakhta -- keygen».

config-warning-later = настройка известна, но в этой версии ещё не действует.
