# What comes from elsewhere: webhooks and heartbeats.

inbound-shortened = { $text }
    ✂️ It was too long; left out here: characters { $characters }, labels { $labels }, links { $links }.

inbound-refused = /hooks/{ $hook }: somebody without the right token
inbound-refused-text = Refused: { $count } since { $since }, the last one from { $address } at { $at }. If it is yours, its alerts do not arrive: give it the token of http.token{ $hook ->
    [grafana] , or the secret of hooks.grafana.secret
    [events] , or to its format the secret that it signs with
   *[other] {""}
}.
inbound-refused-no-token = Refused: { $count } since { $since }, the last one from { $address } at { $at }. No token is configured, so nobody gets in: set http.token.
inbound-refused-over = Nobody has been refused for { $minutes } minutes.
inbound-unreadable = /hooks/{ $hook }: what was sent is lost
inbound-unreadable-text = Messages that can not be read: { $count } since { $since }, the last one from { $address } at { $at }: { $reason }. Their sender was told so and does not send them again: look there for the alerts, and mend what it sends.
inbound-unreadable-over = Everything could be read for { $minutes } minutes.

heartbeat-late = { $name }: no sign of life
heartbeat-failed = { $name } has failed
heartbeat-unfinished = { $name } has begun and not ended
heartbeat-text-late = { $seen ->
    [0] None has come yet; the first was due at { $due }.
   *[other] The last one came at { $last }; the next was due at { $due }.
}{ $away ->
    [0] {""}
   *[other] {" "}The watch itself was away from { $from } to { $until }: it may have missed one.
}
heartbeat-text-unfinished = Begun at { $start }; it has { $grace } to end.{ $known ->
    [0] {""}
   *[other] {" "}The last run took { $usual }.
}{ $lines ->
    [0] {""}
   *[other] {"\u000A"}{ $output }
}
heartbeat-text-failed = It said so itself at { $at }.{ $timed ->
    [0] {""}
   *[other] {" "}The run took { $took }.
}{ $lines ->
    [0] {""}
   *[other] {"\u000A"}{ $output }
}
heartbeat-text-exit = Exit status { $status } at { $at }.{ $timed ->
    [0] {""}
   *[other] {" "}The run took { $took }.
}{ $lines ->
    [0] {""}
   *[other] {"\u000A"}{ $output }
}
heartbeat-back = A sign of life has come.{ $timed ->
    [0] {""}
   *[other] {" "}The run took { $took }.
}
heartbeat-gone = It is no longer configured.
