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
