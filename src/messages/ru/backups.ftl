# /backups, /status, закрепления и ссылки на скачивание.

command-backups = Состояние резервных копий

health-damaged = копия не прошла проверку
health-failed = последний запуск не удался
health-never = копий ещё не было
health-too-old = слишком старая
health-out-of-reach = ни одной копии не достать
health-unseen = в { $storage } не заглянуть с { $since }: { $reason }
health-unseen-old = в { $storage } заглядывали последний раз { $since }
health-unseen-yet = в { $storage } ещё не заглядывали
health-unseen-unreadable = в { $storage } { $n ->
    [one] не читается { $count } манифест
    [few] не читаются { $count } манифеста
    [many] не читаются { $count } манифестов
   *[other] не читаются { $count } манифеста
}
health-late = просрочена
health-copy-missing = нет в { $storages }
health-anomaly = намного меньше обычного
health-proof-old = не проверена дольше, чем велит расписание
health-unproven = ни разу не проверена

status-backups = <b>Копии</b>: { $counts }
status-reasons = <b>{ $reasons }</b>
status-more = Подробнее: /backups
status-more-bad = … и ещё не в порядке: { $count }. Подробнее: /backups

daily-backups-damaged = { $n ->
    [one] не прошла проверку { $count }
    [few] не прошли проверку { $count }
    [many] не прошло проверку { $count }
   *[other] не прошло проверку { $count }
} ({ $names })
daily-backups-small = { $n ->
    [one] намного меньше обычного { $count }
    [few] намного меньше обычного { $count }
    [many] намного меньше обычного { $count }
   *[other] намного меньше обычного { $count }
} ({ $names })
daily-backups-unseen = { $count }: не заглянуть в { $storages } ({ $names })
daily-backups-unproven = { $n ->
    [one] не проверена или проверена давно { $count }
    [few] не проверены или проверены давно { $count }
    [many] не проверено или проверено давно { $count }
   *[other] не проверено или проверено давно { $count }
} ({ $names })

backups-none = Ни одной резервной копии ещё не настроено. Пример – в <code>vakhta.example.yaml</code>.
backups-none-such = Копий с таким именем нет.
backups-title = <b>Копии</b>: { $counts }
backups-filter = Фильтр: <code>{ $filter }</code>
backups-name = { $mark } <b>{ $name }</b>
backups-name-why = { $mark } <b>{ $name }</b>: { $reasons }
backups-last = Последняя хорошая: { $last }
backups-last-none = Хорошей копии нет
backups-last-unknown = О хороших копиях пока ничего не известно
backups-proven = 🔎 { $depth }, { $age } назад
backups-proven-other = 🔎 копия от { $at }: { $depth }, { $age } назад
backups-damaged = ❌ копия от { $at } не прошла проверку в { $storage }, { $age } назад
backups-copies = { $copies }
backups-next = Следующая: { $next }
backups-next-none = Следующая: без расписания
backups-run-running = идёт запуск
backups-run-queued = запуск ждёт очереди
backups-trend-size = Размер { $chart } { $value }
backups-trend-time = Время { $chart } { $value }

backups-of = <b>Хранится: { $count }</b>, сначала новые:
backups-of-none = В хранилищах её копий нет.
backups-of-unknown = О копиях пока ничего не известно: заглянуть удалось не во все её хранилища.
backups-seen = В хранилища заглядывали { $at }
backups-seen-not = Заглянуть удалось пока не во все хранилища
backups-page = страница { $page } из { $pages }
backups-line = { $number }. { $mark } { $at } · { $size } · { $copies }{ $pin }

backups-gone = <b>{ $name }</b>: копии запуска <code>{ $run }</code> больше нет.
backups-one = <b>{ $name }</b>, { $at } ({ $age } назад)
backups-made = Заняло { $duration } на <code>{ $host }</code>
backups-entries = Внутри { $count ->
    [one] { $countText } запись
    [few] { $countText } записи
    [many] { $countText } записей
   *[other] { $countText } записи
}
backups-references = Опирается на { $runs ->
    [one] { $runsText } прежнюю копию
    [few] { $runsText } прежние копии
    [many] { $runsText } прежних копий
   *[other] { $runsText } прежней копии
}; всего { $whole }
backups-encrypted = 🔒 зашифрована age на { $recipients ->
    [one] { $recipients } ключ
    [few] { $recipients } ключа
    [many] { $recipients } ключей
   *[other] { $recipients } ключа
}
backups-plain = Не зашифрована
backups-versions = Сделана: { $versions }
backups-copy = ✓ <b>{ $storage }</b> <code>{ $location }</code>
backups-copy-damaged = ❌ <b>{ $storage }</b> <code>{ $location }</code>: не прошла проверку
backups-copy-incomplete = ❌ <b>{ $storage }</b> <code>{ $location }</code>: не хватает части
backups-copy-conflict = ❌ <b>{ $storage }</b> <code>{ $location }</code>: манифест не такой, как в других хранилищах
backups-copy-chain = ❌ <b>{ $storage }</b> <code>{ $location }</code>: нужное из прежних запусков повреждено или исчезло
backups-copy-none = ✗ <b>{ $storage }</b>: здесь её нет
backups-copy-more = <i>{ $more }</i>
backups-stays = остаётся: { $reasons }
backups-goes = примерно до { $at }, если всё пойдёт по расписанию
backups-goes-next = уйдёт при следующей очистке
backups-unproven = ▫️ Ещё не проверена
backups-pinned = 📌 Закреплена: { $by }, { $at }
backups-pinned-because = 📌 Закреплена: { $by }, { $at }: { $reason }
backups-pinned-before-restore = 📌 То, что работало прямо перед восстановлением (<code>{ $restoration }</code>); закреплена { $at }, пока его можно отменить
backups-pinning = 📌 { $by } закрепляет ({ $at }); осталось записать: { $storages }. С этого момента она хранится.
backups-unpinning = 📌 { $by } снимает закрепление ({ $at }); осталось: { $storages }
backups-pin-failed = ⚠️ { $storage }: { $reason }. Будет новая попытка.
backups-run = Запуск <code>{ $run }</code>

button-pin = 📌 Закрепить
button-unpin = Открепить
button-link = ⬇ Ссылка
toast-pinning = Будет закреплена во всех хранилищах; хранится уже сейчас.
toast-unpinning = Закрепление снимается.
toast-backup-gone = Этой копии больше нет. Ничего не сделано.
toast-link-asked = Ссылка придёт через мгновение.
toast-link-private = Ссылки на скачивание – только в личном чате: напишите мне напрямую.
toast-link-local = Её копии – только на дисках исполнителей: ссылок на них нет. Заберите её оттуда.

links-title = ⬇ <b>{ $name }</b>, запуск <code>{ $run }</code>: ссылки действуют до { $until }
links-more = … и ещё { $count }: все вместе забирает командная строка.
links-encrypted = 🔒 Файлы зашифрованы: без ключа (age identity) они бесполезны. Как их открыть: <code>docs/restore-without-vakhta.md</code>
links-plain = ⚠️ Файлы не зашифрованы. Как их открыть: <code>docs/restore-without-vakhta.md</code>
links-secret = По ссылке файл скачает любой: не передавайте её.
links-failed = Ссылки на <b>{ $name }</b>, запуск <code>{ $run }</code>, не будет: { $reason }
links-no-worker = Ссылки на <b>{ $name }</b>, запуск <code>{ $run }</code>, не будет: не ответил ни один исполнитель, которому доступно её хранилище. Загляните в /status и нажмите кнопку снова.
error-link-local = Хранилище { $storage } не даёт ссылок на скачивание.

backup-by-schedule-waited = По расписанию: срок { $due }, отложено до { $created } по часам или разбросу
backup-copy-gone = 🗑 <b>{ $storage }</b> <code>{ $location }</code>: больше не там с { $at }
backup-copy-pruned = 🗑 <b>{ $storage }</b> <code>{ $location }</code>: удалена по правилам хранения, { $at }
