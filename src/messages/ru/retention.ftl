# Что удаляется и что остаётся: карточка с вопросом, объяснение, инциденты.

prune-title-asked = 🧹 <b>Удалить { $count } старых копий { $name }?</b>
prune-title-confirmed = 🧹 <b>Старые копии { $name }</b> удаляются
prune-title-done = ✅ <b>Старые копии { $name }</b> удалены
prune-title-cancelled = 🚫 <b>Старые копии { $name }</b> остаются
prune-title-void = ⌛ <b>Старые копии { $name }</b>: вопрос устарел
prune-why = По правилам хранения <b>{ $storage }</b> ({ $policy }) было бы удалено сразу { $count } копий из { $total }. Столько удаляется только с чьего-то согласия.
prune-place = <b>{ $storage }</b> <code>{ $location }</code>
prune-span = { $count ->
    [one] Будет удалена { $countText } копия
    [few] Будут удалены { $countText } копии
    [many] Будет удалено { $countText } копий
   *[other] Будет удалено { $countText } копий
}, с { $oldest } по { $newest }
prune-size = Они занимают { $size } из { $all }.
prune-stays = Всё остальное остаётся, закреплённые и последняя хорошая — в любом случае. До ответа здесь ничего не удаляется.
prune-confirmed-by = Согласие дал(а) { $by }, { $at }
prune-cancelled-by = { $by }: нет, { $at }. Ничего не удалено; вопрос повторится через неделю или когда изменятся правила.
prune-removed = { $count ->
    [one] Удалена { $countText } копия.
    [few] Удалены { $countText } копии.
    [many] Удалено { $countText } копий.
   *[other] Удалено { $countText } копий.
}
prune-void = То, что подлежало удалению, изменилось, поэтому ничего не удалено. Если его всё ещё очень много, вопрос будет задан заново.
toast-prune-confirmed = Удаляются
toast-prune-cancelled = Остаются
toast-prune-answered = Уже ответил(а) { $by }
toast-prune-void = Вопрос устарел

retention-heading = Копии { $name } в { $storage } по правилам хранения ({ $policy }): остаётся { $stay }, удаляется { $go }.
retention-as-known = По последнему чтению: { $at }.
retention-stays = остаётся
retention-goes = удаляется
retention-unsound = повреждена
retention-reason-all = хранится всё
retention-reason-pinned = закреплена
retention-reason-last-good = последняя хорошая
retention-reason-none-good = хорошей там не известно ни одной
retention-reason-future = из будущего: часы шли неверно
retention-reason-copying = с неё делается другая копия
retention-reason-last = среди самых новых
retention-reason-daily = последняя за день { $period }
retention-reason-weekly = последняя за неделю { $period }
retention-reason-monthly = последняя за месяц { $period }
retention-reason-yearly = последняя за год { $period }
retention-reason-needed = нужна для { $by }
retention-reason-locked = заблокирована до { $until }

watch-retention = Старые копии { $name } не удаляются из { $storage }
watch-retention-text =
    { $reason }
    Ничего не потеряно, но { $storage } переполнится. Проверьте права и доступность; попытка повторится после следующей копии и раз в день.
watch-unreadable = В { $storage } есть копии { $name }, которые нельзя прочитать
watch-unreadable-text = { $count ->
    [one] { $countText } манифест не читается или записан более новой версией.
    [few] { $countText } манифеста не читаются или записаны более новой версией.
    [many] { $countText } манифестов не читаются или записаны более новой версией.
   *[other] { $countText } манифестов не читаются или записаны более новой версией.
} Пока они там, ничего не удаляется: им может понадобиться то, что подлежит удалению. Обновите программу или уберите их папки.
watch-unseen = В { $storage } не заглянуть больше часа
watch-unseen-text =
    { $reason }
    Так с { $at }. Что лежит в { $storage }, сейчас неизвестно, и восстановить оттуда ничего нельзя.
    Проверьте адрес, права и доступность хранилища. Попытка повторяется каждую минуту.
watch-unseen-old-text =
    Туда никто не заглядывал с { $at }: что лежит в { $storage }, сейчас неизвестно.
    Посмотрите, доходят ли у исполнителей руки до работы (/status и журнал исполнителя).
watch-anomaly = Копия { $name } намного меньше обычной
watch-anomaly-text =
    Запуск { $run }: { $size }, предыдущие — около { $usual }.
    Возможно, часть данных пропала. Пока это не выяснено, копии { $name } нигде не удаляются.
    Если размер верный, нажмите «Закрыть»: тогда это новая мера. Иначе следующая копия обычного размера снимет вопрос.
watch-age = Слишком давно нет хорошей копии { $name }
watch-age-text =
    Последняя хорошая начата { $at }; ей может быть не больше { $limit }.
    Посмотрите последний запуск (/backup { $name }) и работает ли исполнитель (/status).
watch-age-none-text =
    Нет ни одной с { $at }; ей может быть не больше { $limit }.
    Посмотрите последний запуск (/backup { $name }) и работает ли исполнитель (/status).

schedule-dropped = Копия { $name } не началась { $at }
schedule-dropped-text = Её время пришлось на часы вне окна (window), а catchUp выключен: этот запуск пропущен.
backup-waits-window = Ждёт своих часов: может начаться { $at }.
error-window = Запуск не успел начаться в свои часы (window) и не навёрстывается, как указано в catchUp.
backup-hook-failed = ⚠️ После копии не удалось <b>{ $step }</b>: { $reason }. На саму копию это не влияет.
