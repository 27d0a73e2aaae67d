# Правила о серверах: что не так в тексте правила.

rule-problem-long = в условии не больше { $longest } знаков.
rule-problem-deep = скобки и «not» вложены глубже { $deepest } уровней.
rule-problem-sign = { $sign } в условии не бывает.
rule-problem-other-sign = вместо { $sign } здесь пишут { $meant }.
rule-problem-number = число слишком велико.
rule-problem-unit = единицы { $unit } нет. Есть %, B, KB, MB, GB, TB, KiB, MiB, GiB, TiB, Kbit, Mbit, Gbit, s, m, h, d и w, а после них можно /s, /m, /h или /d.
rule-problem-metric = показателя { $word } нет. { $near ->
    [yes] Может быть, { $known }?
   *[no] Есть { $known }.
}
rule-problem-function = функции { $word } нет. { $near ->
    [yes] Может быть, { $known }?
   *[no] Есть { $known }.
}
rule-problem-call = { $name } — функция: { $name }(cpu, 30m).
rule-problem-fill = { $metric } не заполняется. full_in знает { $known }.
rule-problem-uptime = uptime растёт всегда: { $name } от него ни о чём не говорит.
rule-problem-window = нужно указать, за какое время смотреть: { $name }({ $metric }, 6h).
rule-problem-window-length = нужно время от 1m до 7d.
rule-problem-chain = у сравнения две стороны. Напишите два сравнения и «and» между ними.
rule-problem-constant = два числа ничего не говорят о сервере. Сравните с показателем.
rule-problem-same = обе стороны одинаковы.
rule-problem-no-unit = у { $found } нет единицы. Нужно значение вроде { $example }.
rule-problem-other-unit = { $found } с этим не сравнить. Нужно значение вроде { $example }.
rule-problem-sides = стороны измеряются в разных единицах: одна как { $left }, другая как { $right }.
rule-problem-end = условие обрывается. Нужно { $expected ->
    [comparison] сравнение: >, >=, <, <=, == или !=.
    [value] показатель, функция или число.
    [metric] имя показателя.
    [close] «)».
   *[operator] «and», «or» или конец.
}
rule-problem-unexpected = { $found } здесь не на месте. Нужно { $expected ->
    [comparison] сравнение: >, >=, <, <=, == или !=.
    [value] показатель, функция или число.
    [metric] имя показателя.
    [close] «)».
   *[operator] «and», «or» или конец.
}
rule-problem-window-short = для { $name } мало измерений: смотрите хотя бы за { $minutes }m или опрашивайте чаще (stats.every).
rule-problem-window-kept = отдельные измерения хранятся только { $hours }h (stats.keep.raw): смотрите не так далеко.
rule-problem-never = такого никогда не бывает.
rule-problem-always = так всегда и есть.
rule-problem-never-clear = сработав, правило не успокоится никогда: это верно лишь там, где верно и `when`, или нигде.
rule-problem-clear-inside = это верно и там, где верно `when`. Нужно значение за его пределами: when «cpu > 90», clear «cpu < 80».

# Что правило говорит о сервере.

rule-title = { $server }: { $reasons }
rule-reason = { $what } { $value } ({ $operator } { $limit })
rule-and = { $first }, { $rest }
rule-nothing = сработало правило
rule-metric = { $metric ->
    [cpu] CPU
    [memory] память
    [disk] диск
    [disk_free] свободное место
    [inodes] inode
    [load] нагрузка
    [load_per_core] нагрузка на ядро
    [network_in] входящий трафик
    [network_out] исходящий трафик
    [disk_read] чтение с диска
    [disk_write] запись на диск
    [uptime] время работы
   *[other] { $metric }
}
rule-function = { $name ->
    [avg] { $metric }, среднее за { $window },
    [min] { $metric }, минимум за { $window },
    [max] { $metric }, максимум за { $window },
    [rate] { $metric }, тренд за { $window },
    [change] { $metric }, изменение за { $window },
    [empty_in] { $metric }: кончится через
   *[full_in] { $metric }: заполнится через
}
rule-value = { NUMBER($value) }{ $unit ->
    [percent] {" %"}
    [number] {""}
    [B] {" Б"}
    [kB] {" кБ"}
    [MB] {" МБ"}
    [GB] {" ГБ"}
    [TB] {" ТБ"}
   *[other] {" "}{ $unit }
}{ $per ->
    [second] /с
    [hour] /ч
    [second-hour] /с/ч
   *[none] {""}
}
rule-duration = { NUMBER($value) }{ $unit ->
    [s] {" с"}
    [m] {" мин"}
    [h] {" ч"}
   *[d] {" д"}
}
rule-never = никогда
rule-text =
    { $reasons }
    Так с { $since }. Правило { $rule }: { $when }
    { $advice }
rule-no-data =
    Нет данных с { $at }: как сейчас, неизвестно.
    { $text }
rule-over-cleared = Так было с { $from } до { $to }, теперь: { $reasons }.
rule-over-plain = Так было с { $from } до { $to }.
rule-over-changed = Так было с { $from } до { $to }. Правило { $rule } теперь о другом.
rule-over-removed = Так было с { $from } до { $to }. Правила { $rule } для этого сервера больше нет.
