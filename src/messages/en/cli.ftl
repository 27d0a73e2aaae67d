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
config-problem-unknown-key-none = unknown key. There is nothing to set here.
config-problem-empty = must not be empty.
config-problem-short = at least { $minimum } characters are needed.
config-problem-min = must be at least { $minimum }.
config-problem-max = must be at most { $maximum }.
config-problem-format = is not a valid { $format }.
config-problem-other = is not valid. See docs/configuration.md.
config-problem-section = is missing, and this process cannot work without it. See vakhta.example.yaml.
config-problem-name = a name has only lower-case letters, digits, "-" and "_", begins with a letter or digit, and has at most 63 characters.
config-problem-duration = expected a duration such as "30s", "5m", "1h30m" or "7d".
config-problem-size = expected a size such as "512KiB", "8MiB" or "1.5GB".
config-problem-timezone = expected an IANA time zone such as "UTC" or "Europe/Moscow".
config-problem-cron = expected a cron expression of five fields that comes true at some time, such as "0 3 * * *" (every day at 3:00).
config-problem-url = expected an http:// or https:// address.
config-problem-redis-url = expected redis://HOST:PORT/DATABASE, or rediss:// for TLS; USER:PASSWORD@ stands before HOST where Redis asks for them.
config-problem-redis-prefix = only letters, digits, "-", "_" and braces are allowed.
config-problem-http-token = at least 16 characters are needed. Make one with "openssl rand -hex 24".
config-problem-bot-token = this is no bot token (123456789:AA...). Take it from @BotFather.
config-problem-webhook-url = expected an https:// address on port 443, 80, 88 or 8443.
config-problem-webhook-missing = mode webhook needs webhook.url and webhook.secretToken.
config-problem-secret-token = expected 1 to 256 of A-Z, a-z, 0-9, "_" and "-".
config-problem-nobody = this id belongs to no person (an anonymous admin, a channel, Telegram). Run "npm run vakhta -- init" to find out a person's id.
config-problem-no-admin = at least one user must have the role admin.
config-problem-approvers = nobody's order could ever get { $approvers } approvals: { $most } of the listed users have at least the role { $role }. Expected at most { $most }; lower approvers or role, or list more users.
config-problem-approvers-others = nobody's order could ever get { $approvers } approvals: beside who asks, at most { $most } of the listed users have at least the role { $role }. Lower approvers or role, list more users, or set requesterCounts: true.
config-problem-duplicate-user = two users have this id. Remove one of them.
config-problem-duplicate-name = this name stands here twice. Rename or remove one of them.
config-problem-duplicate-chat = two chats have this id. Remove one of them.
config-problem-same-port = the bot and the worker cannot listen on the same port. Choose another workerPort.
config-problem-same-place = this is the same place as { $storage }: what looks like two copies would be one, and each would remove what the other keeps. Give it a folder, prefix or bucket of its own.
config-problem-no-storage = there is no such storage. Known: { $known }.
config-problem-nowhere = there are no storages. Describe at least one under "storages".
config-problem-other-host = the storage { $storage } is on the disk of { $disk }, but this backup is made on { $host }. Name only storages of one host.
config-problem-keep-elsewhere = this backup has no copy in this storage. Add it to "storages" of the backup, or remove it here.
config-problem-no-chat = there is no such chat. Known: { $known }.
config-problem-no-topic = there is no such topic in this chat. Known: { $known }.
config-problem-encrypt = there is nothing to encrypt to. Describe "encryption" with its recipients.
config-problem-recipient = expected an age recipient (age1...). Make a pair of keys with "npm run vakhta -- keygen".
config-problem-recipient-is-identity = this is an identity, the secret half of the pair. Put the recipient (age1...) here and keep the identity elsewhere.
config-problem-absolute-path = expected an absolute path: one that begins with "/".
config-problem-lease = must be at least "2s".
config-problem-duration-min = must be at least "{ $minimum }".
config-problem-duration-max = must be at most "{ $maximum }".
config-problem-duration-or-off = expected a duration such as "10m", or off.
config-problem-match = expected a text, a list of texts, or a pattern such as "/db-.*/". Put numbers and true or false into quotes.
config-problem-pattern = this is no regular expression that can be used: it is broken, has more than 200 characters or very many repetitions, or has backreferences or lookaround. Mend it, or leave out the slashes around it to mean the text itself.
config-problem-span = expected two times of the day such as "22:00-08:00", or true or false.
config-problem-keep = expected "all", or counts such as last: 3, daily: 7, weekly: 4, monthly: 12, yearly: 2.
config-problem-time = expected a time of the day such as "09:00".
config-problem-texts = expected a text, or a list of texts.
config-problem-proxy = expected an address or a network such as "10.0.0.0/8", or loopback, linklocal, uniquelocal.
config-problem-header = expected the name of a header, such as "X-Signature".
config-problem-source-taken = this is the name of another source. Choose another one.
config-problem-heartbeat-key = expected 8 to 128 of A-Z, a-z, 0-9, "_" and "-". Make one with "openssl rand -hex 16".
config-problem-heartbeat-when = expected either "every" or "cron": one of them, and not both.
config-problem-duplicate-key = another heartbeat has this key. Make a key for each.
config-problem-s3-prefix = must not begin with a slash and has no spaces.
config-problem-part-size = must be from "5MiB" to "5GiB", as S3 demands.
config-problem-postgres-url = expected an address that begins with postgresql://.
config-problem-postgres-url-at = there is an @ in the password. Write it as %40.
config-problem-postgres-url-slash = there is a / or ? in the password. Write them as %2F and %3F.
config-problem-postgres-url-percent = there is a % that is no escape. Write a percent sign as %25.
config-problem-postgres-url-sslpassword = sslpassword can not be used: libpq takes it from the command line only. Use a key file without one.
config-problem-identity = expected an age identity (AGE-SECRET-KEY-1...), or several, one a line. Make a pair of keys with "npm run vakhta -- keygen".
config-problem-server-name = a server's name has only letters, digits, "-", "_" and ".", begins with a letter or digit, and has at most 63 characters.
config-problem-server-pattern = expected the name of a server, or a pattern such as "web-*".
config-problem-provider-kind = this is no kind of provider that is known. Name the account after its kind, or set kind to one of: { $values }.
config-problem-no-provider = there is no such provider. Known: { $known }.
config-problem-no-account = there is no such account. Describe it under "providers": { $name }.
config-problem-no-server = there is no such server. Known: { $known }.
config-problem-rule =
    { $problem }
    { $place }
config-problem-same-server = this is the same server as { $server }. Remove one of them.
config-problem-label = a label has only letters, digits and "_", and begins with a letter or "_".
config-problem-label-taken = a label of this name is set by Vakhta itself. Choose another one.
config-problem-recovery = expected off, ask or on.

config-warning-later = known, but not acted upon by this version.
config-warning-unreachable-route = this route is never reached: { $earlier } takes all that it matches. Put it in front of that one, or remove it.
config-warning-hooks-token = http.token is not set: webhooks are refused, unless they prove by a signature where they come from. Set http.token.
config-warning-short-secret = this secret, or the password in this address, has fewer than 6 characters: it cannot be kept out of logs and messages, and it is soon guessed. Choose a longer one.

## The command line

cli-description = Backs up what matters, proves it, and tells a Telegram chat.
cli-help-usage = Usage:
cli-help-arguments = Arguments:
cli-help-options = Options:
cli-help-commands = Commands:
cli-help-after = Exit status: 0 done, 1 failed, 2 wrong usage, 3 restored but different, 78 wrong configuration, 130 interrupted.
cli-option-config = the configuration (default: VAKHTA_CONFIG, else vakhta.yaml)
cli-option-help = show this help
cli-option-json = print the result as JSON
cli-init = set up: asks for everything, tries it, and writes vakhta.yaml and .env
cli-init-api-root = address of a self-hosted Bot API server
cli-config = the configuration
cli-config-check = check the configuration and print all problems at once
cli-doctor = try everything that the configuration refers to
cli-backup = make a backup now
cli-backup-here = in this process, without Redis and the bot
cli-backups = list the backups that the storages hold
cli-keygen = make a pair of keys for encryption
cli-interrupted = interrupted.

cli-phase-waiting = waiting
cli-phase-preflight = looking at the source
cli-phase-dump = dumping
cli-phase-finish = completing and reading back
cli-phase-manifest = writing the manifest

config-check-ok = { $file }: ok
config-check-problems = { $count ->
        [one] { $count } problem.
       *[other] { $count } problems.
    }
config-check-chats = chats: { $names }
config-check-users = users: { $names }
config-check-storages = storages: { $names }
config-check-backups = backups: { $names }
config-check-heartbeats = heartbeats: { $names }

keygen-advice = The line that begins with age1 is the recipient: put it into encryption.recipients. The line that begins with AGE-SECRET-KEY- is the identity: without it no backup can be read. Keep it in a password manager or on paper, away from the servers that make the backups.

cli-backups-none = there are no backups.
cli-backups-id = ID
cli-backups-time = TIME
cli-backups-name = NAME
cli-backups-size = SIZE
cli-backups-copies = COPIES

cli-backup-unknown = there is no backup called { $name }. Known: { $known }.
cli-backup-no-storage-here = none of the storages of { $name } belongs to this host.
cli-backup-ordered = ordered: run { $run }
cli-backup-no-worker = no worker is alive: the run waits until one is.
cli-backup-goes-on = no longer following; run { $run } goes on.
cli-backup-cancelled = cancelled by { $by }.
cli-backup-done = done: { $id }, { $size } in { $elapsed }, SHA-256 { $sha256 }...
cli-backup-copy = { $storage }: { $location }
cli-backup-left = unfinished pieces could not be removed from { $storage }; they are no backup
cli-backup-copy-failed = no copy in { $storage }: { $reason }
cli-backup-failed-in = failed in: { $step }

## doctor: what is looked at, and what was found

check-telegram = bot
check-updates = updates
check-chat = chat
check-clock = clock
check-redis = Redis
check-source = source
check-storage = storage
check-hooks = webhooks
check-encryption = encryption

doctor-config-ok = configuration: { $file } is valid.
doctor-all-well = All is well.
doctor-failures = { $count ->
        [one] { $count } check failed.
       *[other] { $count } checks failed.
    }
doctor-failed = { $reason }
doctor-timeout = no answer within { $seconds } seconds.
doctor-no-secret = its secret is not set here; checked where it is.
doctor-other-host = belongs to the host { $host }; check it there.

doctor-telegram-ok = @{ $username } ({ $name }).
doctor-telegram-token = Telegram does not know this token. Copy it again from @BotFather, or make a new one there.
doctor-telegram-unreachable = cannot reach { $host }. Check the network, or set telegram.apiRoot to a server that can be reached.
doctor-telegram-conflict = another program fetches this bot's updates. Stop it, or use another bot.
doctor-telegram-refused = Telegram refused: { $reason }.
doctor-updates-polling = fetched by polling.
doctor-updates-webhook = delivered to the webhook; { $pending ->
        [one] { $pending } update is waiting
       *[other] { $pending } updates are waiting
    }.
doctor-updates-webhook-set = a webhook to { $host } is set, so polling gets nothing. Remove it (deleteWebhook), or use another bot.
doctor-updates-webhook-unset = no webhook is set yet; the bot sets it when it starts.
doctor-updates-webhook-other = the webhook leads to { $host }, not to telegram.webhook.url. Start the bot, or stop whoever set it.
doctor-updates-webhook-error = Telegram cannot deliver: { $reason }. Check that the address is public and its certificate valid.
doctor-chat-ok = can write to { $title }{ $topics ->
        [0] {""}
        [one] {" "}and its topic
       *[other] {" "}and its { $topics } topics
    }.
doctor-chat-topic = cannot write to the topic { $topic }: { $reason }. Correct its id, or open the topic again.
doctor-chat-unreachable = cannot write there: { $reason }. Correct the id, or add the bot to the chat again.
doctor-clock-ok = right.
doctor-clock-unknown = the server does not tell its time.
doctor-clock-skew = { $seconds ->
        [one] { $seconds } second
       *[other] { $seconds } seconds
    } off. Switch on time synchronisation (timedatectl set-ntp true).
doctor-redis-ok = { $version }.
doctor-redis-unreachable = cannot reach { $host }: { $reason }. Check that it runs and that redis.url is right.
doctor-redis-password = Redis refuses the user or password of redis.url.
doctor-redis-old = { $version } is too old. Redis 6.2 or newer is needed.
doctor-redis-policy = maxmemory-policy is { $policy }, so jobs and cards can vanish. Set it to noeviction.
doctor-redis-persistence = { $version }; works, but without an append-only file: a crash of Redis forgets the newest events. Set appendonly yes.
doctor-source-ok = { $title }.
doctor-source-aside = { $title }. { $count ->
    [one] A restore has put something aside there
   *[other] Restores have put something aside there ({ $count })
}: { $list }. It goes when the time for Undo is over; what no card knows any more, since Redis was lost, is removed by hand (docs/runbook.md).
doctor-storage-ok = written, read and cleaned: { $location }.
doctor-storage-local-ok = written, read and cleaned: { $location }, { $free } ({ $percent } %) free.
doctor-storage-low = works, but only { $free } ({ $percent } %) are free: { $location }. Make room, or move it.
doctor-hooks-ok = let in with http.token.
doctor-hooks-closed = http.token is not set: only what is signed is let in. Set it to receive alerts.
doctor-encryption-ok = { $recipients ->
        [one] encrypted for { $recipients } recipient
       *[other] encrypted for { $recipients } recipients
    } and read back with the identity.
doctor-encryption-write-only = { $recipients ->
        [one] encrypted for { $recipients } recipient
       *[other] encrypted for { $recipients } recipients
    }; the identity is not here, so nothing can be read here: only the holder of the key can restore. See that it is kept safe and try it where it is, with doctor or verify.
doctor-encryption-identity = the identity cannot read what is encrypted for the recipients. Put its own recipient into encryption.recipients.

## init: the dialogue

init-yes = y
init-no = n
init-language = Language
init-timezone = Time zone of schedules
init-trying = Trying it...
init-keep-anyway = Keep it all the same?
init-overwrite = { $file } is there already. Write a new one?
init-overwrite-variables = { $file } has other values of { $names }. Replace them?
init-nothing-written = Nothing was written.
init-written = Written: { $file }, and the secrets to { $env } (readable by you only).
init-next = Start it with "npm start" or "docker compose up -d --build" and send /backup to the bot. Alerts are sent with HTTP_TOKEN of .env: docs/alerts.md says how. "npm run vakhta -- doctor" tries everything again at any time.

init-looking-for-rivals = Looking whether another program uses this bot...
init-bot-hint = Make a bot: send /newbot to @BotFather in Telegram and copy the token.
init-bot-token = Bot token
init-pair-private = Who is the first admin? Open { $link } and press Start, or send to @{ $username }: { $command }
init-pair-group = Open { $link } to choose a group, or send in the group (in a forum: in the topic): { $command }
init-pair-waiting = Waiting for the code (good for { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    })...
init-pair-expired = The time of this code is over.
init-pair-again = Make a new one?
init-paired-admin = Admin: { $name } ({ $id }).
init-paired-group = Group: { $title }.
init-place = Where should alerts and the cards of scheduled backups go?
init-place-group = into a group, or a topic of it
init-place-private = into my private chat with the bot
init-refused-anonymous = The code came from an anonymous admin or a channel, so nobody can be told apart. Turn "Remain anonymous" off in your admin rights, and send it again.
init-refused-other-person = The code came from somebody else. Send it from the account that was just made admin.
init-refused-not-private = The code came from a group. Send it in the private chat with the bot.
init-refused-not-group = The code came from a private chat. Send it in the group or topic.
init-reply-admin = You are the admin of this watch. The setup goes on in the terminal.
init-reply-group = Backups and alerts will be reported here. The setup goes on in the terminal.

init-redis = Address of Redis
init-database = Address of the PostgreSQL database (postgresql://user@host:5432/database, with a password user:password)
init-backup-name = Name of the backup
init-schedule = When to back up, as a cron expression ("-" for never)
init-storage = Where to keep the backups?
init-storage-s3 = an S3 store
init-storage-local = a folder on this host
init-storage-both = both
init-local-path = Folder
init-local-absolute = expected an absolute path.
init-s3-endpoint = Address of the S3 store (https://...)
init-s3-region = Region
init-s3-bucket = Bucket
init-s3-prefix = Prefix of the object keys
init-s3-key = Access key id
init-s3-secret = Secret access key
init-encryption = Encrypt the backups?
init-encryption-new = yes, with a new pair of keys
init-encryption-own = yes, I have an age recipient
init-encryption-none = no
init-recipient = Recipient (age1...)
init-identity = Your identity: { $identity }
    It is shown this once. Without it no backup can be read: keep it in a password manager or on paper.
init-identity-keep = Keep it on this server too (in .env), so that encryption can be verified here? Whoever takes over the server can then read the backups.
