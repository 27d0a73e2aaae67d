# Rules about servers: what is wrong with the text of one.

rule-problem-long = a condition has at most { $longest } characters.
rule-problem-deep = parentheses and "not" are nested deeper than { $deepest }.
rule-problem-sign = { $sign } cannot stand in a condition.
rule-problem-other-sign = { $sign } is written { $meant } here.
rule-problem-number = this number is too large.
rule-problem-unit = { $unit } is no unit. Known are %, B, KB, MB, GB, TB, KiB, MiB, GiB, TiB, Kbit, Mbit, Gbit, s, m, h, d and w, and /s, /m, /h or /d behind them.
rule-problem-metric = there is no metric { $word }. { $near ->
    [yes] Did you mean { $known }?
   *[no] Known are { $known }.
}
rule-problem-function = there is no function { $word }. { $near ->
    [yes] Did you mean { $known }?
   *[no] Known are { $known }.
}
rule-problem-call = { $name } is a function: { $name }(cpu, 30m).
rule-problem-fill = { $metric } does not run full. full_in knows { $known }.
rule-problem-uptime = uptime always grows: { $name } of it says nothing.
rule-problem-window = expected how far to look back: { $name }({ $metric }, 6h).
rule-problem-window-length = expected a time between 1m and 7d.
rule-problem-chain = a comparison has two sides. Write two of them with "and" in between.
rule-problem-constant = two numbers say nothing about a server. Compare with a metric.
rule-problem-same = both sides are the same.
rule-problem-no-unit = { $found } has no unit. Expected a value such as { $example }.
rule-problem-other-unit = { $found } cannot be compared with this. Expected a value such as { $example }.
rule-problem-sides = the two sides are measured in different units: one like { $left }, the other like { $right }.
rule-problem-end = the condition ends too early. Expected { $expected ->
    [comparison] a comparison: >, >=, <, <=, == or !=.
    [value] a metric, a function or a number.
    [metric] the name of a metric.
    [close] ")".
   *[operator] "and", "or" or the end.
}
rule-problem-unexpected = { $found } cannot stand here. Expected { $expected ->
    [comparison] a comparison: >, >=, <, <=, == or !=.
    [value] a metric, a function or a number.
    [metric] the name of a metric.
    [close] ")".
   *[operator] "and", "or" or the end.
}
rule-problem-window-short = { $name } needs more readings: look back at least { $minutes }m, or poll more often (stats.every).
rule-problem-window-kept = single readings are kept for { $hours }h only (stats.keep.raw): look back less far.
rule-problem-never = this can never hold.
rule-problem-always = this always holds.
rule-problem-never-clear = what fires could never clear: this holds only where `when` still holds, or nowhere.
rule-problem-clear-inside = this also holds where `when` does. It has to begin outside of it: when "cpu > 90", clear "cpu < 80".

# What a rule says of a server.

rule-title = { $server }: { $reasons }
rule-reason = { $what } { $value } ({ $operator } { $limit })
rule-and = { $first }, { $rest }
rule-nothing = a rule holds
rule-metric = { $metric ->
    [cpu] CPU
    [disk_free] free space
    [load_per_core] load per core
    [network_in] incoming traffic
    [network_out] outgoing traffic
    [disk_read] disk reads
    [disk_write] disk writes
   *[other] { $metric }
}
rule-function = { $name ->
    [avg] average { $metric } of { $window }
    [min] least { $metric } of { $window }
    [max] greatest { $metric } of { $window }
    [rate] trend of { $metric } over { $window }
    [change] change of { $metric } in { $window }
    [empty_in] { $metric } gone in
   *[full_in] { $metric } full in
}
rule-value = { NUMBER($value) }{ $unit ->
    [percent] {" %"}
    [number] {""}
   *[other] {" "}{ $unit }
}{ $per ->
    [second] /s
    [hour] /h
    [second-hour] /s/h
   *[none] {""}
}
rule-duration = { NUMBER($value) }{ $unit ->
    [s] {" s"}
    [m] {" min"}
    [h] {" h"}
   *[d] {" d"}
}
rule-never = never
rule-text =
    { $reasons }
    So since { $since }. Rule { $rule }: { $when }
    { $advice }
rule-no-data =
    No data since { $at }: nobody knows how it is now.
    { $text }
rule-over-cleared = It was so from { $from } to { $to }, now: { $reasons }.
rule-over-plain = It was so from { $from } to { $to }.
rule-over-changed = It was so from { $from } to { $to }. The rule { $rule } says something else now.
rule-over-removed = It was so from { $from } to { $to }. The rule { $rule } is not about this server any more.
