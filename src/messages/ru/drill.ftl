# Учебные восстановления: карточка, /drill, наблюдение, конфигурация.

command-drill = Провести учебное восстановление всех копий

drill-title-queued = 🕓 <b>Учебное восстановление</b> ждёт
drill-title-running = 🧭 <b>Идёт учебное восстановление</b>: готово { $done } из { $total }
drill-title-passed = ✅ <b>Учебное восстановление прошло</b>: { $total ->
    [one] { $total } копия восстановлена из удалённого хранилища и сверена
    [few] { $total } копии восстановлены из удалённых хранилищ и сверены
    [many] { $total } копий восстановлено из удалённых хранилищ и сверено
   *[other] { $total } копии восстановлено из удалённых хранилищ и сверено
}
drill-title-slow = ⚠️ <b>Учебное восстановление</b>: восстановлено всё, вне пределов — { $over } из { $total }
drill-title-failed = ❌ <b>Учебное восстановление не удалось</b>: не восстановлено { $bad } из { $total }
drill-title-empty = ❌ <b>Учебное восстановление не удалось</b>: восстанавливать нечего
drill-title-cancelled = 🚫 <b>Учебное восстановление</b> отменено: готово { $done } из { $total }

drill-item-waiting = ▫️ <b>{ $name }</b>: { $size } в <b>{ $storage }</b>
drill-item-waiting-none = ▫️ <b>{ $name }</b>
drill-item-running = ⏳ <b>{ $name }</b>: { $what }
drill-item-passed = { $mark } <b>{ $name }</b>: { $times } · { $counted } · { $size } из <b>{ $storage }</b>
drill-item-failed = ❌ <b>{ $name }</b>: новейшая копия в <b>{ $storage }</b> негодна. { $reason }
drill-item-undrilled = ❌ <b>{ $name }</b>: восстановить не удалось. { $reason }
drill-item-left-out = ➖ <b>{ $name }</b>: пропущено. { $reason }
drill-item-cancelled = 🚫 <b>{ $name }</b>: не проверялось
drill-progress = { $what }, { $read } из { $total } ({ $percent } %)
drill-time-rto = RTO { $value }
drill-time-rpo = RPO { $value }
drill-over-rto = ❗RTO { $value } (предел { $limit })
drill-over-rpo = ❗RPO { $value } (предел { $limit })
drill-beneath = { "   " }{ $words }
drill-between = {"; "}
drill-trend-rto = RTO { $values } { $arrow }
drill-trend-rpo = RPO { $values } { $arrow }
drill-counted-rows = { $countText } { $count ->
    [one] строка
    [few] строки
    [many] строк
   *[other] строки
}
drill-counted-keys = { $countText } { $count ->
    [one] ключ
    [few] ключа
    [many] ключей
   *[other] ключа
}
drill-counted-entries = { $countText } { $count ->
    [one] запись
    [few] записи
    [many] записей
   *[other] записи
}
drill-counted-objects = { $countText } { $count ->
    [one] объект
    [few] объекта
    [many] объектов
   *[other] объекта
}
drill-uncounted = сверять количество не с чем
drill-differences = { $countText } { $count ->
    [one] расхождение
    [few] расхождения
    [many] расхождений
   *[other] расхождения
} с тем, что копировалось; они названы на карточке проверки ниже.
drill-more = … и ещё { $count }, из них в пределах — { $passed }: см. файл.

drill-limits = Пределы: RTO { $rto } (от чтения манифеста до конца сверки), RPO { $rpo } (возраст данных)
drill-sum = Все вместе, друг за другом: { $duration }
drill-took = Учебное восстановление заняло { $duration }.
drill-cancelled = Отменено: { $by }. Ничего не осталось.
drill-id = Учебное восстановление <code>{ $drill }</code>
drill-again-by = Повторено: { $by }, <code>{ $drill }</code>
drill-already = Учебное восстановление уже идёт; его карточка здесь, в чате.
verify-by-drill = Часть учебного восстановления, { $created }

drill-reason-only-local = Все её копии лежат на дисках исполнителей и пропадут вместе с ними. Добавьте удалённое хранилище (s3) в storages.
drill-reason-no-offsite = Ни одной копии нет в { $storages }: всё, что есть, пропадёт вместе с диском исполнителя. Почему копий нет, видно в /backups.
drill-reason-none = Копий ещё нет. Сделайте: /backup
drill-reason-unseen = Не удалось посмотреть в { $storage }: { $reason }
drill-reason-unseen-yet = В { $storage } ещё не смотрели. Повторите через несколько минут.
drill-reason-manifest = Новейшая копия в { $storage } непригодна: { $object } не имеет смысла. Сделайте новую: /backup
drill-reason-gone = Копия в { $storage } удалена, пока ждала своей очереди. Повторите.
drill-reason-lost = Сведения о пробном восстановлении пропали из Redis. Повторите.
drill-reason-cancelled = Пробное восстановление отменено.

button-drill-again = Повторить
toast-drilling = Учебное восстановление заказано.

watch-drill-schedule = Учебное восстановление не началось { $at }
watch-drill-schedule-text =
    Оно начнётся, как только его возьмёт исполнитель. Посмотрите, работают ли исполнители (/status) и не заняты ли они.
watch-drill-nothing = { $name }: после потери сервера восстанавливать будет не из чего
watch-drill-unable = { $name }: учебное восстановление не удалось
watch-drill-text-no-backup =
    Учебное восстановление { $at } не нашло ни одной копии { $name }. Сделайте копию сейчас: /backup { $name }. Закончится со следующим удачным учебным восстановлением.
watch-drill-text-no-offsite =
    Учебное восстановление { $at } не нашло ни одной копии { $name } вне дисков исполнителей. Добавьте удалённое хранилище или почините то, в котором копий нет (/backups). Закончится со следующим удачным учебным восстановлением.
watch-drill-text-unseen =
    Учебное восстановление { $at } не смогло увидеть, что лежит в удалённом хранилище: { $reason }. Закончится со следующим удачным учебным восстановлением.
watch-drill-text-shallow =
    Учебное восстановление { $at } смогло прочитать копию { $name }, но не восстановить: причина — на его карточке (повторить: /drill). Закончится со следующим удачным учебным восстановлением.
watch-drill-over-rto = Восстановление { $name } дольше предела
watch-drill-over-rto-text =
    Учебное восстановление { $at } заняло { NUMBER($rto) } мин, предел (drill.rto) — { NUMBER($rtoLimit) } мин. Закончится со следующим учебным восстановлением в пределах.
watch-drill-over-rpo = Восстановленные данные { $name } старше предела
watch-drill-over-rpo-text =
    При учебном восстановлении { $at } новейшей удалённой копии было { NUMBER($rpo) } мин, предел (drill.rpo) — { NUMBER($rpoLimit) } мин. Посмотрите, удаются ли копирование и отправка в удалённое хранилище (/backups). Закончится со следующим учебным восстановлением в пределах.
watch-drill-over-both = Восстановление { $name } дольше предела, и данные старше предела
watch-drill-over-both-text =
    Учебное восстановление { $at } заняло { NUMBER($rto) } мин (предел drill.rto — { NUMBER($rtoLimit) } мин), новейшей удалённой копии было { NUMBER($rpo) } мин (предел drill.rpo — { NUMBER($rpoLimit) } мин). Закончится со следующим учебным восстановлением в пределах.

error-drill-unknown = Учебное восстановление { $drill } больше не известно.
error-drill-running = Это учебное восстановление ещё не закончено.

config-problem-no-backup = такой копии нет. Известны: { $known }.
config-problem-drill-command = { $name }: пробное восстановление невозможно, как восстанавливать, знает только программа. Назовите её в source.testRestore этой копии или уберите имя отсюда.
config-problem-drill-kind = { $name }: пробное восстановление невозможно для вида { $kind }. Уберите имя отсюда.

cli-drill = восстановить каждую копию из удалённого хранилища на пробном сервере и измерить время
cli-drill-passed = { $name }: RTO { $rto }, RPO { $rpo }; { $counted }; { $size } из { $storage }
cli-drill-failed = { $name }: восстановить не удалось. { $reason }
cli-drill-left-out = { $name }: пропущено. { $reason }
cli-drill-nothing = восстанавливать нечего: вне дисков не найдено ни одной копии
cli-drill-over = { $name }: { $what } больше предела { $limit }
cli-drill-summary = восстановлено: { $passed } из { $total }
