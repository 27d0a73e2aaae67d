# Servers that give no data, and what else is told of the looks at them.

silence-account-token = { $account } refuses the token: nothing is known of its { $servers ->
    [one] server
   *[other] { $servers } servers
}
silence-account-api = { $account } does not answer: nothing is known of its { $servers ->
    [one] server
   *[other] { $servers } servers
}

silence-account-text =
    { $reason }
    What is shown of them is from before. That they give no data is not told of each meanwhile.

silence-deleted = Server { $server } is gone: its provider has no such server
silence-deleted-text = It was removed at { $provider }. If that was meant, take it out of the configuration.
silence-blocked = Server { $server } was stopped by its provider
silence-blocked-text = { $provider } has blocked it, mostly because it is not paid for. Look at the balance of the account.
silence-off = Server { $server } is off
silence-off-text = So says { $provider }, and nobody has ordered it here.
silence-stuck = Server { $server } gives no data: it is neither on nor off for long
silence-stuck-text = { $provider } has been saying for more than 20 minutes that it starts, stops, or is worked on. Look at it in the provider's panel.
silence-unreachable = Server { $server } does not answer
silence-refused = Server { $server } lets nobody look
silence-garbage = Server { $server } answers with what cannot be read
silence-no-data = Server { $server } gives no data
silence-api = Nothing is known of server { $server }
silence-taken-out = The server is not in the configuration any more.

server-renamed = Server { $server } has another name at its provider
server-renamed-text = It was called { $from } there, and is called { $to } now. Here it stays { $server }.

watch-polls = { $servers ->
    [one] { $names } was not looked at in time
   *[other] { $servers } servers were not looked at in time
}
watch-polls-text =
    { $names }: their polls are more than two intervals late, so their values are old and no rule fires.
    Look whether workers are alive and have time, and in the worker's log; with very many servers of one account, raise stats.every or the account's rate.

config-check-servers = servers: { $names }
config-check-rules = rules: { $names }

check-account = account
check-servers = servers
check-worker = worker on

doctor-account-ok = { $servers ->
    [0] answers; no server of it is configured.
    [one] answers; its server was found.
   *[other] answers; all { $servers } servers were found.
}
doctor-account-missing = answers, but only { $found } of { $servers } servers were found. Not there: { $names }. Correct their ids, or take them out.
doctor-servers-ok = { $servers ->
    [one] it answers.
   *[other] all { $servers } answer.
}
doctor-servers-silent = only { $found } of { $servers } answer. Silent: { $names }. Check that their addresses are right and can be reached from here.
doctor-worker-ok = alive.
doctor-worker-missing = no worker is alive there, so nothing is known of this server. Start one, or mend host: and WORKER_HOST.
doctor-worker-unknown = nobody can tell without Redis.
