# What the watch says about itself: each with what it means and what to do.

watch-over = It was so from { $from } to { $to }.

watch-no-worker = No worker is alive
watch-no-worker-text =
    The last sign of life was at { $at }. Until a worker runs again no backup is made and no schedule is looked at; what was missed is made up then, unless catchUp says otherwise.
    Look at the worker's service and its log, and start it.

watch-no-host = No worker is alive on { $host }
watch-no-host-text =
    The last sign of life was at { $at }. What the configuration binds to this host waits for it: its backups and its local copies.
    Start the worker there, or mend host: and WORKER_HOST if they do not agree.

watch-no-bot = No bot was alive
watch-no-bot-text =
    The last sign of life was at { $at }. Meanwhile nothing was told in the chats, no order was taken and no alert accepted; senders that repeat themselves have sent theirs again.
    The bot's log tells why it ended.

watch-no-tick = No schedule is looked at
watch-no-tick-text =
    Workers are alive, but the job that looks at the clock every 15 seconds was not done since { $at }. Backups do not start by themselves.
    Look for errors in the worker's log; start the worker anew.

watch-queue-stuck = Jobs in the queue { $queue } are not taken
watch-queue-stuck-text =
    The oldest one waits since { $at }, although a worker is alive and nothing of this queue is being worked on.
    Look for errors in the worker's log; start the worker anew.

watch-queue-unserved = Jobs wait for the worker on { $host }
watch-queue-unserved-text =
    The oldest one waits since { $at }. No other worker can take them, since what they need is on that host.
    Start the worker there; if the host is gone for good, cancel the runs and take it out of the configuration.

watch-verify-schedule = The verification of { $name } did not run at { $at }
watch-verify-schedule-text =
    Its time has passed, and no verification has begun. Nobody knows whether the newest backup can be restored.
    Look whether a worker is alive and free (/status), or start it by hand: /verify { $name }

watch-schedule = Backup { $name } did not run at { $at }
watch-schedule-text =
    Its time has passed, and no run has begun. The newest backup is older than it should be.
    Look whether a worker is alive and free (/status), or start it by hand: /backup { $name }

watch-clock-host = The clock of { $host } is wrong
watch-clock-host-text =
    { $ahead ->
        [yes] It is { $seconds } s ahead of the clock of Redis.
       *[no] It is { $seconds } s behind the clock of Redis.
    } Schedules run at the wrong time, and what is said about times is off.
    Look at the time synchronisation (timedatectl) on that host and on the one of Redis.

watch-clock-between = The clocks of { $slowest } and { $fastest } do not agree
watch-clock-between-text =
    They differ by { $seconds } s. What happens on one host seems to have happened before or after its time on the other.
    Look at the time synchronisation (timedatectl) on both.

watch-clock-telegram = The bot's clock is wrong
watch-clock-telegram-text =
    { $ahead ->
        [yes] It is { $seconds } s ahead of Telegram's.
       *[no] It is { $seconds } s behind Telegram's.
    } Schedules run at the wrong time, and what is said about times is off.
    Look at the time synchronisation (timedatectl) on the bot's host.

watch-disk = The disk of { $host } is nearly full: { $path }
watch-disk-text =
    { $percent } % was free when this was noticed, { NUMBER($mebibytes) } MiB. When it is full, backups fail and the database of the queue may stop accepting writes.
    Free space: shorten keep, remove what is not needed, or enlarge the disk.

watch-disk-unknown = Nothing was heard of { $host } for { NUMBER($minutes) } minutes, so nobody here can say how full its disk is now.

watch-telegram = Telegram cannot be reached
watch-telegram-text =
    No bot gets an answer from Telegram. Alerts are still accepted and kept; they are shown when it answers again, many of them together on one card.
    If it lasts, look at the network, a proxy, and whether the bot's token is still valid.

watch-own-heartbeat = The own sign of life is not heard
watch-own-heartbeat-text =
    The address at heartbeat: did not answer several times in a row. Whoever expects it there will take this watch for dead.
    Look whether the address is right and can be reached from the bot's host.

watch-redis = Redis cannot be reached
watch-redis-text =
    The bot on { $host } got no answer. Meanwhile alerts were refused with 503, so that their senders repeat them, and backups waited.

watch-redis-refused = Redis takes no writes
watch-redis-refused-text =
    It answered the bot on { $host } with { $code }. Meanwhile alerts were refused with 503, so that their senders repeat them, and backups waited.

watch-redis-refuses =
    🔴 <b>Redis takes no writes</b> since { $since }, says the bot on { $host }: { $code ->
        [OOM] its memory is full (maxmemory)
        [MISCONF] it cannot save to its disk
        [READONLY] it is a read-only replica
       *[other] it answers { $code }
    }.

    Alerts are refused with 503, so that their senders repeat them; buttons and commands do nothing; backups that run go on for some minutes, others wait.
    { $code ->
        [OOM] Give it more memory, or remove what else is kept in it.
        [MISCONF] Look at the disk and the log of the Redis server.
        [READONLY] Make it a primary, or point redis.url to the one that is.
       *[other] Look at the log of the Redis server.
    } This message changes when it is over.
watch-redis-accepts =
    🟢 <b>Redis took no writes</b> from { $from } to { $to }, for { $for }, says the bot on { $host }.

    Alerts were refused with 503 meanwhile: their senders repeat them. Backups go on.

watch-redis-away =
    🔴 <b>Redis cannot be reached</b> since { $since }, says the bot on { $host }.

    Alerts are refused with 503, so that their senders repeat them; buttons and commands do nothing; backups that run go on for some minutes, others wait.
    Look at the Redis server and at the network to it. This message changes when it is back.
watch-redis-back =
    🟢 <b>Redis was unreachable</b> from { $from } to { $to }, for { $for }, says the bot on { $host }.

    Alerts were refused with 503 meanwhile: their senders repeat them. Backups go on.
