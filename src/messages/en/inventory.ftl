# What providers tell beside measurements: /servers, accounts, managed databases, buckets.

error-inventory-none = provider { $account } has no managed databases
error-inventory-slow = the provider took too long to answer
error-provider-unknown = no provider is called { $name }: see providers in the configuration
error-managed-gone = provider { $account } has no database { $id } any more
error-managed-backup = the provider could not make the backup
error-auto-backups-same = nothing would change: these are the settings already
error-auto-backups-changed = the settings were changed by somebody else meanwhile: look at them, and ask again
error-auto-backups-not-taken = provider { $account } has not taken the settings over: look at them in its panel

managed-same-provider = ⚠️ These backups are kept by the same provider: they are no off-site copy.
managed-backup-title = Backup of the database { $name } by { $account }
managed-backup-ordered = Ordered; a card of its own tells how it goes.
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
