## Reading the configuration

config-no-file = there is no configuration. Begin with "npm run demo" to look around, or "npm run vakhta -- init" to set it up.
config-is-directory = this is a directory; name the YAML file itself.
config-unreadable = cannot be read ({ $reason }). Check its owner and permissions.
config-not-utf8 = is not UTF-8 text. Save it as UTF-8.
config-empty = is empty. Start from vakhta.example.yaml, or run "npm run vakhta -- init".
config-not-mapping = must be a mapping of settings ("key: value"). Start from vakhta.example.yaml.
config-env-file = the file .env beside it cannot be read. Check its owner and permissions.
config-yaml-duplicate-key = this key stands here twice. Remove one of them.
config-yaml-tab = a tab is used for indentation. Use spaces.
config-yaml-indent = the indentation is wrong. Align it with the lines above.
config-yaml-documents = a second document begins here ("---"). Keep a single one.
config-yaml-missing-char = a quote, bracket or comma is missing.
config-yaml-alias = an alias ("*name") refers to no anchor, or there are too many of them. Write the value out.
config-yaml-syntax = not valid YAML ({ $code }). Put texts with special characters into quotes.

config-variable-unset = the variable { $name } is not set. Set { $name } or { $name }_FILE.
config-variable-both = both { $name } and { $name }_FILE are set. Unset one of them.
config-variable-unreadable = the file that { $name }_FILE names cannot be read ({ $reason }). Check the path and its permissions.
config-variable-syntax = a variable is written wrongly. Write {"${NAME}"} or {"${NAME:-default}"}, and {"$${"} for the characters themselves.

config-problem-required = is missing. Expected { $expected ->
        [number] a number
        [int] a whole number
        [string] a text (put it into quotes)
        [boolean] true or false
        [array] a list
        [object] a mapping ("key: value")
        [record] a mapping ("name: value")
       *[other] another kind of value
    }.
config-problem-required-one-of = is missing: expected one of { $values }.
config-problem-type = expected { $expected ->
        [number] a number
        [int] a whole number
        [string] a text (put it into quotes)
        [boolean] true or false
        [array] a list
        [object] a mapping ("key: value")
        [record] a mapping ("name: value")
       *[other] another kind of value
    }.
config-problem-one-of = expected one of { $values }.
config-problem-unknown-key = unknown key. Known here: { $suggestion }.
config-problem-empty = must not be empty.
config-problem-min = must be at least { $minimum }.
config-problem-max = must be at most { $maximum }.
config-problem-format = is not a valid { $format }.
config-problem-other = is not valid. See docs/configuration.md.
config-problem-text = { $text }
config-problem-section = is missing, and this process cannot work without it. See vakhta.example.yaml.
config-problem-name = a name has only lower-case letters, digits, "-" and "_", begins with a letter or digit, and has at most 63 characters.
config-problem-duration = expected a duration such as "30s", "5m", "1h30m" or "7d".
config-problem-size = expected a size such as "512KiB", "8MiB" or "1.5GB".
config-problem-timezone = expected an IANA time zone such as "UTC" or "Europe/Moscow".
config-problem-cron = expected a cron expression of five fields that comes true at some time, such as "0 3 * * *" (every day at 3:00).
config-problem-url = expected an http:// or https:// address.
config-problem-redis-url = expected redis://[user:password@]host:port/database, or rediss:// for TLS.
config-problem-redis-prefix = only letters, digits, "-", "_" and braces are allowed.
config-problem-http-token = at least 16 characters are needed. Make one with "openssl rand -hex 24".
config-problem-bot-token = this is no bot token (123456789:AA...). Take it from @BotFather.
config-problem-webhook-url = expected an https:// address on port 443, 80, 88 or 8443.
config-problem-webhook-missing = mode webhook needs webhook.url and webhook.secretToken.
config-problem-secret-token = expected 1 to 256 of A-Z, a-z, 0-9, "_" and "-".
config-problem-nobody = this id belongs to no person (an anonymous admin, a channel, Telegram). Run "npm run vakhta -- init" to find out a person's id.
config-problem-no-admin = at least one user must have the role admin.
config-problem-duplicate-user = two users have this id. Remove one of them.
config-problem-duplicate-name = this name stands here twice. Rename or remove one of them.
config-problem-duplicate-chat = two chats have this id. Remove one of them.
config-problem-same-port = the bot and the worker cannot listen on the same port. Choose another workerPort.
config-problem-no-storage = there is no such storage. Known: { $known }.
config-problem-nowhere = there are no storages. Describe at least one under "storages".
config-problem-keep-elsewhere = this backup has no copy in this storage. Add it to "storages" of the backup, or remove it here.
config-problem-no-chat = there is no such chat. Known: { $known }.
config-problem-no-topic = there is no such topic in this chat. Known: { $known }.
config-problem-encrypt = there is nothing to encrypt to. Describe "encryption" with its recipients.
config-problem-recipient = expected an age recipient (age1...). Make a pair of keys with "npm run vakhta -- keygen".
config-problem-recipient-is-identity = this is an identity, the secret half of the pair. Put the recipient (age1...) here and keep the identity elsewhere.
config-problem-identity = expected an age identity (AGE-SECRET-KEY-1...). Make a pair of keys with "npm run vakhta -- keygen".

config-warning-later = known, but not acted upon by this version.
