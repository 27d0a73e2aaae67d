# What providers tell beside measurements: /servers, accounts, managed databases, buckets.

error-inventory-none = provider { $account } has no managed databases
error-inventory-slow = the provider took too long to answer
error-provider-unknown = no provider is called { $name }: see providers in the configuration
error-managed-gone = provider { $account } has no database { $id } any more
error-managed-backup-gone = the backup is not at the provider any more
error-managed-backup = the provider could not make the backup
error-auto-backups-same = nothing would change: these are the settings already
error-auto-backups-changed = the settings were changed by somebody else meanwhile: look at them, and ask again
error-auto-backups-not-taken = provider { $account } has not taken the settings over: look at them in its panel

managed-same-provider = ⚠️ These backups are kept by the same provider: they are no off-site copy.
managed-backup-title = Backup of the database { $name } by { $account }
managed-backup-ordered = On its way; a card of its own tells how it goes.
managed-detail-type = Type: { $type }
managed-auto-title = Automatic backups of the database { $name } by { $account }: other settings
managed-auto-done = The provider has the new settings.
managed-change-on = • off → <b>on</b>
managed-change-off = • on → <b>off</b>: no more backups are made by themselves
managed-change-copies = • Copies kept: { $from } → <b>{ $to }</b>
managed-change-interval = • Made: { $from ->
    [day] daily
    [week] weekly
    [month] monthly
   *[none] –
} → <b>{ $to ->
    [day] daily
    [week] weekly
    [month] monthly
   *[none] –
}</b>
managed-change-day = • Day: { $from ->
    [d1] Monday
    [d2] Tuesday
    [d3] Wednesday
    [d4] Thursday
    [d5] Friday
    [d6] Saturday
    [d7] Sunday
   *[d0] –
} → <b>{ $to ->
    [d1] Monday
    [d2] Tuesday
    [d3] Wednesday
    [d4] Thursday
    [d5] Friday
    [d6] Saturday
    [d7] Sunday
   *[d0] –
}</b>
managed-change-start = • First one: { $from } → <b>{ $to }</b>

command-servers = Servers: status, addresses, action log, backups, cost

servers-title = <b>Servers</b>: { $counts }
servers-none = No servers are configured. Add them under <code>servers</code> in the configuration.
servers-none-such = No server is called so or labelled so.
servers-near = There is no server like “{ $said }”. Did you mean <code>{ $near }</code>?
servers-filter = Filter: { $filter }
servers-line = { $mark } <b>{ $name }</b> · { $status }
servers-line-more = <i>{ $more }</i>
servers-incidents = { $count ->
    [one] { $count } incident
   *[other] { $count } incidents
}
servers-seen = seen { $age } ago
servers-heard = last heard of { $age } ago
servers-unheard = nothing heard of it yet
servers-unseen = not looked at yet
servers-up = up { $duration }
servers-status-none = unknown yet
servers-status-on = on
servers-status-off = off
servers-status-starting = starting
servers-status-stopping = shutting down
servers-status-rebooting = rebooting
servers-status-busy = its provider is at work on it
servers-status-blocked = blocked by its provider
servers-status-removed = removed
servers-status-unknown = unknown
servers-failure-gone = gone at its provider
servers-failure-unreachable = no answer
servers-failure-refused = does not let us in
servers-failure-garbage = answers what cannot be read
servers-failure-no-data = gives no data
servers-labels = <i>{ $labels }</i>
servers-booted = ⏱ { $uptime } (since { $at })
servers-failing = ❗ Since { $since }, { $count ->
    [one] { $count } look
   *[other] { $count } looks
} in vain: { $reason }
servers-metric-cpu = CPU { $percent } %
servers-metric-memory = memory { $percent } %
servers-metric-disk = disk { $percent } %
servers-values = { $values } ({ $age } ago)
servers-values-old = Last known, { $age } ago: { $values }
servers-looked = Looked at { $age } ago
servers-not-looked = Nobody has looked at it yet.
servers-provider = Provider: { $where }
servers-cores = { $count ->
    [one] { $count } core
   *[other] { $count } cores
}
servers-memory = { NUMBER($size) } GiB of memory
servers-disk = 💾 Disk { $disk }: { $size }
servers-disk-used = 💾 Disk { $disk }: { $used } of { $size }
servers-addresses = 🌐
servers-no-incidents = No open incidents.
servers-incidents-quiet = { $count ->
    [one] 🔕 { $count } open incident is kept quiet
   *[other] 🔕 { $count } open incidents are kept quiet
}
servers-incidents-title = <b>Open incidents: { $count }</b>
servers-actions-title = <b>Action log of the provider</b>
servers-action = { $at } · { $event }
servers-nothing = None.
servers-backups-title = <b>Disk backups at the provider</b>
servers-disk-backups = Disk { $disk }: { $count }
servers-disk-backups-system = System disk { $disk }: { $count }
servers-console = <a href="{ $url }">Open the console</a>
servers-asking = ⏳ The provider is being asked; this fills in by itself.
servers-as-of = <i>As of { $age } ago</i>
servers-unasked = ⚠️ Cannot be asked for since { $since }: { $reason }
provider-backup-done = ✓ { $at }
provider-backup-making = ⏳ { $at }, { $percent } %
provider-backup-failed = ❌ { $at }, failed
provider-backup-unknown = ? { $at }
provider-backup-comment = <i>{ $comment }</i>

button-server-stats = 📈 Stats
button-server-reboot = ⟳ Reboot…
button-server-start = ⏻ Start…
button-account = 💳 { $account }
button-servers = ◀ Servers
button-databases = Databases: { $count }
button-buckets = Buckets: { $count }
button-domains = Domains: { $count }
account-title = 💳 <b>{ $account }</b>
account-servers = { $count ->
    [one] { $count } server is configured
   *[other] { $count } servers are configured
}
account-nothing = Its provider tells nothing beside measurements.
account-balance = Balance: <b>{ $balance } { $currency }</b>
account-cost = Cost: { $cost } { $currency } an hour, about { $month } a month
account-lasts = { $mark } Lasts { $duration }, until { $at }
account-lasts-hour = { $mark } Lasts less than an hour, by what was told last.
account-lasts-none = { $mark } Nothing is left.
account-lasts-free = 🟢 Nothing is spent.
account-lasts-unknown = How long it lasts is not known.
account-domains-soon = <b>Domains to renew</b>
account-buckets-full = <b>Buckets that are nearly full</b>
domains-title = 🌐 <b>Domains of { $account }</b>
domains-line = { $mark } { $domain }: until { $at }, { $days } d
domains-ended = { $mark } { $domain }: ended { $at }
domains-unknown = ⚪ { $domain }: its end is not known
buckets-title = 🪣 <b>Buckets of { $account }</b>
buckets-line = { $mark } <b>{ $bucket }</b>: { $used } of { $limit } { $bar } { $percent } %
buckets-line-unlimited = { $mark } <b>{ $bucket }</b>: { $used }, no limit
buckets-more = <i>{ $more }</i>
buckets-objects = { $count ->
    [one] { $count } object
   *[other] { $count } objects
}

databases-title = 🗄 <b>Managed databases of { $account }</b>
databases-line = { $mark } <b>{ $name }</b> · { $type } · { $status }
databases-of = <i>Database { $id } of { $account }</i>
databases-status-on = on
databases-status-off = off
databases-status-busy = its provider is at work on it
databases-status-unknown = unknown
databases-disk = Disk: { $used } of { $size } ({ $percent } %)
databases-gone = { $account } has no database { $id }.
databases-backups-title = <b>Backups at the provider: { $count }</b>
databases-more = … and { $count } older
databases-auto-on = Automatic backups: on
databases-auto-off = Automatic backups: <b>off</b>
databases-auto-interval = Made: { $interval ->
    [day] daily
    [week] weekly
    [month] monthly
   *[none] ?
}{ $day ->
    [d1] , on Mondays
    [d2] , on Tuesdays
    [d3] , on Wednesdays
    [d4] , on Thursdays
    [d5] , on Fridays
    [d6] , on Saturdays
    [d7] , on Sundays
   *[d0] {""}
}
databases-auto-copies = Copies kept: { $count }
databases-auto-start = From: { $at }
button-database-backup = Back up now…
button-auto-backups = Automatic backups…
button-database-backups = Its backups
toast-database-backups = Its backups
toast-database-backup = Asked for: the card below has to be approved
toast-databases-unknown = What databases there are is not known now: Refresh, then try again.
toast-database-gone = That database is not there any more. Nothing was done.
toast-auto-backups-unknown = The settings are not known now: Refresh, then try again.
toast-auto-backups-same = Nothing would change.
toast-auto-backups-asked = Asked for: the card below has to be approved

auto-backups-title = 🗓 <b>Automatic backups of { $name }</b> by { $account }
auto-backups-now = <b>Now</b>
auto-backups-wanted = <b>Wanted</b>
auto-backups-changes = <b>What changes</b>
auto-backups-none = Nothing yet.
auto-backups-fewer = ❗ Fewer backups are made or kept than now: the name has to be typed.
auto-backups-asked = Asked for; its card tells how it goes.
auto-backups-given-up = Left as it is.
button-auto-on = Switch on
button-auto-off = Switch off
button-auto-fewer = − 1 copy
button-auto-more = + 1 copy
button-auto-many-more = + 7
button-auto-day = Daily
button-auto-week = Weekly
button-auto-month = Monthly
button-auto-weekday = Next day of the week
button-auto-earlier = − 1 h
button-auto-later = + 1 h
button-auto-ask = Ask for it…

database-backup-title-ordering = 🕓 <b>Backup of { $name }</b> by { $account }: being ordered
database-backup-title-making = 💾 <b>Backup of { $name }</b> by { $account }: being made
database-backup-title-done = ✅ <b>Backup of { $name }</b> by { $account }: made
database-backup-title-failed = ❌ <b>Backup of { $name }</b> by { $account }: failed
database-backup-title-unclear = ⚠️ <b>Backup of { $name }</b> by { $account }: nobody knows
database-backup-asking = The provider is being asked for it.
database-backup-unanswered = The provider has not answered clearly; its list of backups is looked at before anything is repeated.
database-backup-progress = { $bar } { $percent } %
database-backup-unnamed = The provider has taken the order and not said which backup it is; it is looked for in the list.
database-backup-size = Size: { $size }
database-backup-took = After { $duration }
database-backup-elapsed = { $duration } so far
database-backup-error = { $reason }
database-backup-unclear = What became of the order could not be found out, and it is not repeated: look at the list of backups before you ask again.
database-backup-unseen = ⚠️ The provider cannot be asked since { $since }: { $reason }
database-backup-by = Asked for by { $by }, { $at }
database-backup-comment = Comment at the provider: <code>{ $comment }</code> · { $type }

watch-balance = The balance of { $account } is running out
watch-balance-days = { $balance } { $currency } are left{ $spent ->
    [yes] , at { $cost } { $currency } an hour
   *[no] {""}
}: about { $count ->
    [one] { $count } day
   *[other] { $count } days
}. Pay in, or the provider stops what runs there.
watch-balance-hours = { $balance } { $currency } are left{ $spent ->
    [yes] , at { $cost } { $currency } an hour
   *[no] {""}
}: { $count ->
    [0] less than an hour
    [one] about { $count } hour
   *[other] about { $count } hours
}. Pay in now, or the provider stops what runs there.
watch-balance-none = { $balance } { $currency } are left: nothing is paid for any more. Pay in now, or the provider stops what runs there.
watch-domain = The domain { $domain } ends soon
watch-domain-text = It ends { $at }. Renew it at { $account }.
watch-domain-ended = The domain { $domain } has ended
watch-domain-ended-text = It ended { $at }. Renew it at { $account } as long as nobody else can take it.
watch-bucket = The bucket { $bucket } of { $account } is nearly full
watch-bucket-text = { $percent } % of { $limit } { $unit ->
    [kilobyte] kB
    [megabyte] MB
   *[gigabyte] GB
} are in use. What does not fit any more is refused: remove something, or order more room.
watch-account = What { $account } costs and holds is not known any more
watch-account-text = The provider has not told it since { $since }: { $what }. Until then nothing warns of an empty balance, domains that end and full buckets.
watch-account-finances = money
watch-account-domains = domains
watch-account-buckets = buckets
watch-account-databases = databases
watch-account-more = { $one }, { $rest }
