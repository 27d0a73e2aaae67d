# /backup: диалог и карточка.

source-postgres = Дамп PostgreSQL вместе с ролями
source-title-postgres = PostgreSQL { $version }, база { $database }

backup-none-configured = Ни одной резервной копии ещё не настроено. Пример – в <code>vakhta.example.yaml</code>.
backup-no-such = Копии с именем <b>{ $name }</b> нет. Есть: { $names }
backup-choose = <b>Что скопировать?</b>
backup-gone = ⚠️ Копии <b>{ $name }</b> больше нет в настройках, поэтому ничего не запущено.
backup-choice-gone = ⚠️ Того, что означала эта кнопка, больше нет в настройках.
backup-choice = <b>{ $name }</b>: { $last }
backup-last = { $age } назад, { $size }
backup-last-none = ещё не было
backup-last-unknown = пока ничего не известно
backup-plan = <b>Сделать копию { $name } сейчас?</b>
    { $kind }
backup-plan-to = → <b>{ $storage }</b> <code>{ $location }</code>
backup-plan-encrypted = 🔒 шифруется на { $recipients ->
    [one] { $recipients } ключ
    [few] { $recipients } ключа
    [many] { $recipients } ключей
   *[other] { $recipients } ключа
}
backup-plan-last = Последняя копия: { $last }
backup-plan-next = Следующая по расписанию: { $next }
backup-plan-active = ⚠️ Уже идёт запуск <code>{ $run }</code>; этот начнётся после него.

backup-title-queued = 🕓 <b>Копия { $name }</b> ждёт очереди
backup-title-running = ⏳ <b>Копия { $name }</b> делается
backup-title-succeeded = ✅ <b>Копия { $name }</b> готова
backup-title-degraded = ⚠️ <b>Копия { $name }</b> готова, но есть она не везде
backup-title-failed = ❌ <b>Копия { $name }</b> не удалась
backup-title-cancelled = 🚫 <b>Копия { $name }</b> отменена

phase-waiting = ожидание
phase-preflight = проверка источника и хранилищ
phase-dump = дамп, сжатие, загрузка
phase-finish = завершение и проверочное чтение
phase-manifest = запись манифеста

backup-waiting = Ждёт исполнителя.
backup-no-worker = 🔴 Ни один исполнитель не работает: запустите его.
backup-no-worker-on = 🔴 На <code>{ $host }</code> не работает исполнитель: запустите его там.
backup-waits-for-restore = Ждёт, пока восстановление <code>{ $restoration }</code> закончит замену данных.
backup-waits-for = Ждёт, пока закончится запуск <code>{ $run }</code> той же копии.
backup-interrupted-waiting = Исполнитель остановлен на этапе «{ $phase }». Исполнитель начнёт заново.
backup-phase = Этап: { $phase }
backup-read = Прочитано: { $read }, { $rate }
backup-read-of = Прочитано: { $read } из примерно { $expected }, { $rate }
backup-written = Записано: { $bytes }, { $rate }
backup-elapsed = Прошло: { $duration }
backup-attempt = Попытка { $attempt }: исполнителя прервали на этапе «{ $phase }»; что от него осталось, убрано.
backup-cancelling = { $by } отменяет; убираю за собой…
backup-cancelled = Отменено: { $by }.
backup-nothing-kept = От этого запуска ничего не осталось; прежние копии не тронуты.
backup-leftovers = Копии от этого запуска нет, прежние не тронуты. Незаконченные части, возможно, ещё лежат в { $storages }: они будут убраны, как только туда будет доступ.
backup-retried = Повтор ({ $by }): запуск <code>{ $run }</code>

backup-size = Размер: <b>{ $size }</b>
backup-size-ratio = Размер: <b>{ $size }</b>, из { $raw } (1 : { $ratio })
backup-sha256 = SHA-256: <code>{ $sha256 }</code>…
backup-rows = Посчитано: { $rows ->
    [one] { $rowsText } строка
    [few] { $rowsText } строки
    [many] { $rowsText } строк
   *[other] { $rowsText } строки
} в { $tables ->
    [one] { $tables } таблице
    [few] { $tables } таблицах
    [many] { $tables } таблицах
   *[other] { $tables } таблицы
}
backup-copy-stored = ✓ <b>{ $storage }</b> <code>{ $location }</code>
backup-copy-retrying = ↻ <b>{ $storage }</b> <code>{ $location }</code>: { $reason }. Загрузка повторяется из имеющейся копии.
backup-copy-retrying-in = ↻ <b>{ $storage }</b> <code>{ $location }</code>: { $reason }. Попытка загрузки { $tries } не удалась; следующая через { $wait }.
backup-copy-missing = ✗ <b>{ $storage }</b> <code>{ $location }</code>: { $reason }. Попытки прекращены; этой копии нет.
backup-folder = Папка: <code>{ $folder }</code>
backup-took = Заняло { $duration }
backup-took-encrypted = Заняло { $duration }, зашифровано age 🔒

backup-failed-step = Шаг: <b>{ $step }</b>
backup-failed-reason = { $reason }
backup-stderr = <pre>{ $stderr }</pre>
advice-tool-missing = Что делать: установить названное выше на машину исполнителя и нажать «Повторить».
advice-tool-too-old = Что делать: установить более новый клиент на машину исполнителя и нажать «Повторить».
advice-tool-failed = Что делать: исправить то, что названо выше, и нажать «Повторить».
advice-source-unreachable = Что делать: проверить, что база работает и доступна исполнителю, и нажать «Повторить».
advice-source-refused = Что делать: проверить имя, пароль и название базы в <code>url</code> и <code>pg_hba.conf</code> на сервере и нажать «Повторить».
advice-source-failed = Что делать: исправить то, что названо выше, и нажать «Повторить».
advice-storage-unreachable = Что делать: проверить, что хранилище работает и доступно исполнителю, и нажать «Повторить».
advice-storage-refused = Что делать: проверить бакет, ключи и их права и нажать «Повторить».
advice-storage-full = Что делать: освободить место в хранилище и нажать «Повторить».
advice-storage-mismatch = Что делать: хранилище не сохранило записанное; проверьте его, прежде чем повторять.
advice-encryption = Что делать: проверить получателей в настройках и нажать «Повторить».
advice-timeout = Что делать: выяснить, что его замедлило, или увеличить <code>timeout</code> этой копии, и нажать «Повторить».
advice-other = Что делать: подробности в журнале исполнителя; после исправления нажать «Повторить».

backup-source = { $source }
backup-by-person = Запросил(а) { $by }, { $created }
backup-by-schedule = По расписанию, { $due }
backup-by-catch-up = Срок был { $due } и пропущен; сделано взамен { $created }
backup-missed = { $missed ->
    [one] Пропущен ещё { $missed } более ранний срок
    [few] Пропущены ещё { $missed } более ранних срока
    [many] Пропущено ещё { $missed } более ранних сроков
   *[other] Пропущено ещё { $missed } более раннего срока
}
backup-by-retry = Повтор <code>{ $run }</code>, { $by }, { $created }
backup-by-cli = Из командной строки, { $created }
backup-by-before-restore = 📌 То, что работало прямо перед восстановлением <code>{ $restoration }</code> ({ $by }), { $created }; хранится, пока его можно отменить
backup-by-before-undo = 📌 То, что работало прямо перед отменой восстановления <code>{ $restoration }</code> ({ $by }), { $created }
backup-run = Запуск <code>{ $run }</code>
