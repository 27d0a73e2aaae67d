# /restore: диалог, карточка восстановления, вопросы под ними.

command-restore = Вернуть из резервной копии

restore-ask-none-configured = Резервные копии ещё не настроены. Как это сделать, видно в <code>vakhta.example.yaml</code>.
restore-ask-no-such = Резервной копии <b>{ $name }</b> нет. Есть: { $names }
restore-ask-name = <b>Что вернуть?</b>
restore-ask-name-line = <b>{ $name }</b>: последняя годная { $last }
restore-ask-backup = <b>{ $name }: из какой копии?</b> Сначала новые:
restore-ask-backup-line = { $number }. { $mark } { $at } ({ $age } назад) · { $size } · { $copies }
restore-ask-backup-bad = { $number }. ❌ { $at } ({ $age } назад): { $reason }
restore-ask-marks = ✅ пробно восстановлена · ☑️ просмотрена · ▫️ не проверена · ❌ повреждена или неполна
restore-ask-page = страница { $page } из { $pages }
restore-ask-none = В хранилищах нет ни одной копии <b>{ $name }</b>.
restore-ask-none-yet = Ни одной копии <b>{ $name }</b> пока не видно: возможно, хранилища ещё не просмотрены. Как с ними обстоят дела, покажет /backups { $name }.
restore-ask-gone = ⚠️ Этой копии больше нет: выберите другую.
restore-ask-no-run = ⚠️ <code>{ $said }</code> – не копия { $name } и не время. Время пишите так: { $example }
restore-ask-damaged = копия не прошла проверку
restore-ask-incomplete = не хватает части
restore-ask-conflict = манифесты расходятся
restore-ask-chain = нужное из прежних копий повреждено или пропало
restore-ask-moment = До какого момента? Возьму самую новую годную копию, законченную до него. Время { $zone }, например { $example }
restore-ask-moment-question = <a href="tg://user?id={ $user }">{ $person }</a>, ответьте на это сообщение временем: <code>14:30</code>, <code>вчера 14:30</code> или <code>{ $example }</code> ({ $zone }).
restore-ask-moment-here = 14:30
restore-ask-moment-unreadable = ⚠️ Не понимаю время <code>{ $said }</code>. Пишите так: <code>14:30</code>, <code>вчера 14:30</code> или <code>{ $example }</code>
restore-ask-moment-no-time = ⚠️ В <code>{ $said }</code> нет времени суток. Пишите так: <code>вчера 14:30</code> или <code>{ $example }</code>
restore-ask-moment-future = ⚠️ <code>{ $said }</code> ещё не наступило. Пишите так: <code>14:30</code>, <code>вчера 14:30</code> или <code>{ $example }</code>
restore-ask-moment-none = ⚠️ Годной копии { $name }, законченной до { $at }, нет. Выберите из тех, что есть:
restore-ask-moment-skipped = Этого времени не было: часы перевели вперёд. Беру момент перевода.
restore-ask-moment-twice = Это время часы показали дважды: беру первое из двух.
restore-ask-before = Самая новая годная, законченная до <b>{ $at }</b>.
restore-ask-passed-over = { $count ->
    [one] Пропущена { $count } более новая: повреждена или неполна.
    [few] Пропущены { $count } более новые: повреждены или неполны.
    [many] Пропущено { $count } более новых: повреждены или неполны.
   *[other] Пропущено { $count } более новых: повреждены или неполны.
}
restore-ask-unproven = ▫️ Её ещё никто не проверял. Самая новая проверенная до этого – от { $at }.
restore-ask-unproven-only = ▫️ Её ещё никто не проверял, и более ранней проверенной тоже нет.
restore-ask-chosen = <b>{ $name }</b>, копия от <b>{ $at }</b> ({ $age } назад)
restore-ask-chosen-more = { $mark } { $proof } · { $size } · { $copies }
restore-ask-chosen-bad = ❌ Все известные её экземпляры повреждены или неполны ({ $reason }): восстановить может не получиться.
restore-ask-database = <b>Какую базу данных?</b> За раз – одну.
restore-ask-where = <b>Куда?</b> Пока ничего не меняется: сначала посмотрю, потом покажу, что произойдёт.
restore-ask-where-in-place = <b>На место</b>: восстановлю рядом, сверю и поставлю вместо того, что работает сейчас. Нужны одобрения; какое-то время можно вернуть обратно.
restore-ask-where-beside = <b>{ $beside }</b>: рядом с тем, что работает; оно остаётся нетронутым.
restore-ask-where-part = <b>Часть</b>: только { $part }.
restore-ask-where-download = <b>Скачать</b>: сами файлы, по ссылкам.
restore-ask-not = <i>Здесь нельзя: { $reason }</i>
restore-ask-no-link-local = ссылок на скачивание нет: копии только на дисках самих исполнителей
restore-ask-no-link-private = ссылки на скачивание выдаю только в личном чате: напишите мне лично
restore-ask-no-link-role = ссылки на скачивание – для администраторов
restore-ask-pick-schema = Какую схему или таблицу? В виде <code>schema</code> или <code>schema.table</code>. Восстановлю рядом с тем, что работает.
restore-ask-pick-path = Какой файл или какую папку? Путь как в конфигурации или глубже.
restore-ask-pick-prefix = Какие ключи? Напишите, с чего начинаются их имена.
restore-ask-pick-question = <a href="tg://user?id={ $user }">{ $person }</a>, ответьте на это сообщение: какую часть { $name }?
restore-ask-pick-here-schema = public.orders
restore-ask-pick-here-path = /srv/app/uploads
restore-ask-pick-here-prefix = uploads/2026/
restore-ask-to-path = Куда? Абсолютный путь к папке, которой ещё нет. Могу назвать и сама.
restore-ask-to-prefix = Куда? Префикс бакета, которого ещё нет. Могу назвать и сама.
restore-ask-to-database = В какую новую базу данных? Имя, которое ещё не занято. Могу назвать и сама.
restore-ask-to-schema = В какую новую схему? Имя, которое ещё не занято. Могу назвать и сама.
restore-ask-to-question = <a href="tg://user?id={ $user }">{ $person }</a>, ответьте на это сообщение: как назвать?
restore-ask-to-here = { $name }
restore-ask-empty = ⚠️ Это пусто или длиннее { $limit } символов.
restore-ask-late = ⏳ Ответ дошёл до меня через { $waited } после отправки, поэтому я его не приняла. Он ещё в силе?
restore-ask-over = ⌛ Этот вопрос закрыт. Спросить снова: { $command }
restore-ask-continued = ⤵ Продолжение ниже.
restore-ask-linked = ⬇ Ссылки сейчас будут.
restore-ask-failed = ❌ Не заказано: { $reason }
restore-part-schema = одну схему или таблицу
restore-part-path = один файл или папку
restore-part-prefix = ключи с одинаковым началом
restore-beside-postgres = Новая база
restore-beside-files = Новая папка
restore-beside-s3 = Новый префикс
restore-beside-other = Рядом

button-restore = ⏮ Вернуть
button-restore-before = 🕑 До момента…
button-restore-in-place = На место
button-restore-part = Часть…
button-restore-download = ⬇ Скачать
button-restore-proven = Взять от { $at }
button-restore-named = Назови сама
button-restore-other = Другая копия
button-restore-again = Посмотреть ещё раз
button-restore-without = Без копии перед этим
button-restore-method = Иначе: { $method }
button-restore-undo = ↩ Вернуть как было
button-restore-keep = Удалить прежнее сейчас
button-restore-keep-undone = Удалить восстановленное
button-restore-keep-yes = Удалить насовсем

restore-method-beside = рядом, с обменом имён
restore-method-single-transaction = всё одной транзакцией
restore-method-replica = через реплику
restore-method-versions = по объекту, с сохранением версий

restore-card-title-looking = 🔎 <b>Восстановление { $name }</b>: смотрю
restore-card-title-refused = ⛔ <b>Восстановление { $name }</b>: так нельзя
restore-card-title-ready = ⚠️ <b>Восстановить { $name }?</b>
restore-card-title-asked = 🔐 <b>Восстановление { $name }</b>: нужно одобрить
restore-card-title-running = ⏳ <b>Восстановление { $name }</b> идёт
restore-card-title-done = ✅ <b>{ $name } восстановлено</b>
restore-card-title-done-beside = ✅ <b>{ $name } восстановлено рядом</b> с тем, что работает
restore-card-title-undoing = ↩️ <b>{ $name }</b>: возвращаю как было
restore-card-title-undone = ↩️ <b>{ $name }</b>: возвращено как было
restore-card-title-failed = ❌ <b>Восстановление { $name }</b> не удалось
restore-card-title-cancelled = 🚫 <b>Восстановление { $name }</b> отменено
restore-card-title-expired = ⌛ <b>Восстановление { $name }</b>: срок истёк
restore-card-old = Восстановление { $name } ({ $id })

restore-card-backup = Копия от <b>{ $at }</b>, возраст { $age }
restore-card-part = Только <b>{ $pick }</b>
restore-card-replaces = → на место <b>{ $target }</b>{ $server }
restore-card-beside = → рядом с тем, что работает, как <b>{ $target }</b>{ $server }
restore-card-beside-unnamed = → рядом с тем, что работает
restore-card-in-place = → на место того, что работает
restore-card-on = , { $server }
restore-card-looking = Смотрю на копию и на то, что работает. Ничего не меняю.
restore-card-obstacles = <b>Что мешает</b>
restore-card-bullet = • { $text }
restore-card-more = … и ещё { $count }
restore-card-refused-do = Устраните названное выше и нажмите «Посмотреть ещё раз».
restore-card-look-failed = Посмотреть не удалось: { $reason }
restore-card-look-do = Что делать: устраните названное выше и нажмите «Посмотреть ещё раз».

restore-card-lost = <b>⚠ Пропадёт</b> всё, что записано за последние { $age }.
restore-card-lost-then = <b>Пропало</b> всё, что записано между копией и { $at }.
restore-card-lost-other-system = Копия с другого сервера, или этот поставили заново: то, что работает, к ней отношения не имеет.
restore-card-lost-seen = { $exact ->
    [yes] Больше, чем в копии (посчитано):
   *[no] Больше, чем в копии (оценка):
}
restore-card-lost-none = Того, что можно посчитать, не больше, чем в копии; изменённое подсчётом не видно.
restore-card-lost-line = • <b>{ $what }</b>: +{ $more } (сейчас { $live }, в копии { $backup })
restore-card-lost-line-then = • <b>{ $what }</b>: +{ $more } (было { $live }, в копии { $backup })
restore-card-lost-new = • <b>{ $what }</b>: { $live }
restore-card-rows = { $count ->
    [one] { $countText } строка
    [few] { $countText } строки
    [many] { $countText } строк
   *[other] { $countText } строки
}
restore-card-keys = { $count ->
    [one] { $countText } ключ
    [few] { $countText } ключа
    [many] { $countText } ключей
   *[other] { $countText } ключа
}
restore-card-files = { $count ->
    [one] { $countText } файл
    [few] { $countText } файла
    [many] { $countText } файлов
   *[other] { $countText } файла
}
restore-card-objects = { $count ->
    [one] { $countText } объект
    [few] { $countText } объекта
    [many] { $countText } объектов
   *[other] { $countText } объекта
}

restore-card-takes = ⏱ Займёт около <b>{ $total }</b>, из них { $backup } на копию перед этим; по { $measured ->
    [one] { $measured } измеренному восстановлению
    [few] { $measured } измеренным восстановлениям
    [many] { $measured } измеренным восстановлениям
   *[other] { $measured } измеренного восстановления
}
restore-card-takes-plain = ⏱ Займёт около <b>{ $total }</b>; по { $measured ->
    [one] { $measured } измеренному восстановлению
    [few] { $measured } измеренным восстановлениям
    [many] { $measured } измеренным восстановлениям
   *[other] { $measured } измеренного восстановления
}
restore-card-takes-sized = ⏱ Займёт около <b>{ $total }</b>; по объёму, эта копия ещё не измерялась
restore-card-takes-unknown = ⏱ Сколько займёт, неизвестно: ни одно восстановление ещё не измерялось.
restore-card-sessions = 🔌 Будет разорвано: { $count ->
    [one] { $count } соединение: { $who }
    [few] { $count } соединения: { $who }
    [many] { $count } соединений: { $who }
   *[other] { $count } соединения: { $who }
}
restore-card-sessions-none = 🔌 Сейчас никто не подключён.
restore-card-back-kept = ↩ Нынешнее остаётся рядом: его можно вернуть кнопкой.
restore-card-back-kept-for = ↩ Нынешнее остаётся рядом { $duration }: всё это время его можно вернуть кнопкой.
restore-card-back-former = ↩ Путь назад – копия, сделанная прямо перед этим.
restore-card-back-former-for = ↩ Путь назад – копия, сделанная прямо перед этим: { $duration } её можно вернуть кнопкой.
restore-card-back-versions = ↩ Хранилище помнит прежние версии: их можно вернуть кнопкой.
restore-card-back-versions-for = ↩ Хранилище помнит прежние версии: { $duration } их можно вернуть кнопкой.
restore-card-back-none = ‼️ <b>Пути назад не будет</b>: копия нынешнего не снимается, и рядом ничего не остаётся. После замены его не вернуть.
restore-card-no-former = ⚠️ <b>Без копии перед этим</b>: вернуть можно только то, что останется от нынешнего.
restore-card-proof = ✅ Проверена: { $depth }, { $at }
restore-card-unproven = ▫️ <b>Не проверена</b>: на этот экземпляр ещё никто не смотрел.
restore-card-copy = Читаю из <b>{ $storage }</b> <code>{ $location }</code>
restore-card-passed = Не из { $storage }: { $reason }
restore-card-remark = ℹ️ { $text }
restore-card-details = <blockquote expandable>{ $text }</blockquote>
restore-card-detail-size = Размер: { $size }, распакованная { $unpacked }
restore-card-detail-room-live = { "" } рядом с { $live }
restore-card-detail-room = Диск: свободно { $free }, нужно { $needed }{ $beside }
restore-card-detail-room-unknown = Диск: нужно { $needed }{ $beside }; сколько свободно, отсюда не видно
restore-card-detail-versions = Версии: { $versions }
restore-card-detail-roles = Роли: все нужные копии есть
restore-card-detail-roles-missing = Не хватает ролей: { $list }
restore-card-detail-roles-unknown = Роли: не смотрела
restore-card-detail-extensions = Расширения: все нужные копии есть
restore-card-detail-extensions-missing = Не хватает расширений: { $list }
restore-card-detail-extensions-other = Расширения другой версии: { $list }
restore-card-detail-method-only = Как: { $method }
restore-card-detail-method = Как: { $method }, { $jobs ->
    [one] { $jobs } соединение
    [few] { $jobs } соединения
    [many] { $jobs } соединений
   *[other] { $jobs } соединения
}
restore-card-detail-host = Воркер: { $host }, посмотрел { $at }
restore-card-ready = Пока ничего не изменено. «Подтвердить» запросит одобрения.
restore-card-until = Действует до: { $at }

restore-card-asked = Дальше – в карточке одобрения <code>{ $approval }</code>: там пишут имя и одобряют. Пока ничего не изменено.
restore-card-phase-waiting = жду исполнителя
restore-card-phase-preflight = ещё раз посмотреть
restore-card-phase-check = проверить копию
restore-card-phase-backup = скопировать и закрепить нынешнее
restore-card-phase-restore = восстановить рядом, сверить
restore-card-phase-restore-beside = восстановить, сверить
restore-card-phase-stop = остановить службы
restore-card-phase-swap = поменять местами
restore-card-phase-start = запустить службы
restore-card-phase-record = проверить и записать
restore-card-step-done = ✓ { $phase }
restore-card-step-now = ▶ <b>{ $phase }</b>
restore-card-step-next = ▫ { $phase }
restore-card-progress = Прочитано: { $read } из { $total } ({ $percent } %)
restore-card-steps-tables = Таблицы: { $done } из { $of }
restore-card-steps-rows = Строки: { $done } из { $of }
restore-card-steps-keys = Ключи: { $done } из { $of }
restore-card-steps-files = Файлы: { $done } из { $of }
restore-card-steps-objects = Объекты: { $done } из { $of }
restore-card-elapsed = Прошло: { $duration }
restore-card-elapsed-left = Прошло: { $duration }, осталось около { $left }
restore-card-elapsed-longer = Прошло: { $duration }, дольше ожидавшихся { $estimate }
restore-card-attempt = Воркер пропал на шаге «{ $phase }». Попытка { $attempt } продолжает.
restore-card-attempt-nothing = Воркер пропал на шаге «{ $phase }»: на сервере ещё ничего не было сделано. Попытка { $attempt } начинает заново.
restore-card-attempt-rolled-back = Воркер пропал на шаге «{ $phase }»: недоделанное убрано. Попытка { $attempt } начинает заново.
restore-card-attempt-prepared = Воркер пропал на шаге «{ $phase }»: готовое рядом пойдёт в дело. Попытка { $attempt } продолжает.
restore-card-attempt-swapped = Воркер пропал на шаге «{ $phase }»: обмен уже был сделан. Попытка { $attempt } завершает.
restore-card-attempt-undone = Воркер пропал на шаге «{ $phase }»: прежнее уже снова работало. Попытка { $attempt } завершает.
restore-card-waits-run = ⏸ Прежде чем что-либо останавливать, жду конца копирования (запуск <code>{ $run }</code>): иначе оно оборвётся. Отменить его можно в его карточке.
restore-card-waits-other = ⏸ Прежде чем что-либо останавливать, жду, пока с копиями { $name } закончит работу другой.
restore-card-cancelling = { $by } отменяет; прибираю за собой…
restore-card-no-cancel = Отсюда только вперёд: отменить уже нельзя, можно вернуть как было потом.

restore-card-compared = Восстановлено и сверено с копией: { $counted }
restore-card-compared-none = Восстановлено до конца. Сверить не с чем.
restore-card-counted-tables = { $rowsText } { $rows ->
    [one] строка
    [few] строки
    [many] строк
   *[other] строки
} в { $tablesText } { $tables ->
    [one] таблице
    [few] таблицах
    [many] таблицах
   *[other] таблицах
}
restore-card-rto = RTO: <b>{ $duration }</b> от начала до работы; из них { $restore } на само восстановление
restore-card-rto-beside = Заняло { $duration }
restore-card-away-ms = 🔌 При замене не читалось { $refused }
restore-card-refused-ms = 🔌 { $sessions ->
    [one] Разорвано { $sessions } соединение; новые не принимались { $refused }
    [few] Разорвано { $sessions } соединения; новые не принимались { $refused }
    [many] Разорвано { $sessions } соединений; новые не принимались { $refused }
   *[other] Разорвано { $sessions } соединения; новые не принимались { $refused }
}
restore-card-former = Копия прямо перед этим: запуск <code>{ $run }</code>, закреплена
restore-card-former-free = Копия прямо перед этим: запуск <code>{ $run }</code>, больше не закреплена, хранится как все
restore-card-former-undo = Копия возвращённого, снята прямо перед этим: запуск <code>{ $run }</code>, закреплена
restore-card-former-undo-free = Копия возвращённого, снята прямо перед этим: запуск <code>{ $run }</code>, больше не закреплена
restore-card-loses-nothing = То, что работает, не трогаю: ничего не пропадёт.
restore-card-untouched-live = То, что работает, не тронуто.
restore-card-program-failed = ⚠️ Программа из конфигурации не сработала на шаге «{ $step }»: { $reason }
restore-card-programs-owed = ⚠️ Службы ещё не запущены снова: пробую, пока не получится.
restore-card-clean-up = ⚠️ На сервере ещё осталось то, что нужно убрать: пробую, пока не получится.

restore-card-undo-until = ↩ Вернуть как было можно до <b>{ $at }</b>; потом прежнее удалю.
restore-card-undo-until-former = ↩ Вернуть как было можно до <b>{ $at }</b>: из копии, сделанной прямо перед этим.
restore-card-undo-until-versions = ↩ Вернуть как было можно до <b>{ $at }</b>, пока хранилище держит прежние версии.
restore-card-undo-open = ↩ Кнопка вернёт прежнее.
restore-card-undo-looking = ↩ { $by } хочет вернуть как было: смотрю, что записано с тех пор.
restore-card-undo-asked = ↩ { $by } хочет вернуть как было. Дальше – в карточке одобрения <code>{ $approval }</code>; пока ничего не изменено.
restore-card-undo-running = ↩ По просьбе { $by } возвращаю как было.
restore-card-undo-failed = ⚠️ Вернуть как было не удалось: { $reason }
restore-card-undo-not = ⚠️ Прежнее не возвращено: { $reason }
restore-card-undo-loses = При этом пропадёт: { $written }, записанное с тех пор
restore-card-undo-loses-gone = При этом пропадёт: { $written }, записанное с тех пор; { $gone } из восстановленного снова станут прежними
restore-card-undo-loses-nothing = С тех пор ничего не записано: ничего не пропадёт.
restore-card-undo-lost = Записано после восстановления и больше не работает: { $written }
restore-card-undo-lost-nothing = После восстановления ничего не записывали: ничего не пропало.
restore-card-undo-line = • <b>{ $what }</b>: { $written }
restore-card-undone = По просьбе { $by } снова работает то, что было до восстановления.
restore-card-undone-kept = Восстановленное остаётся рядом до { $at }, потом удалю.
restore-card-undone-dropped = 🗑 Восстановленное удалено, { $at }.
restore-card-dropping = По просьбе { $by } удаляю сейчас…
restore-card-drop-failed = ⚠️ Удалить прежнее не удалось: { $reason }. Пробую снова.
restore-card-dropped = 🗑 Прежнее удалено, { $at }.
restore-card-undo-over = ⌛ Вернуть как было больше нельзя, с { $at }.

restore-card-failed = { $reason }
restore-card-failed-at = Не вышло на шаге: <b>{ $phase }</b>
restore-card-stderr = <pre>{ $stderr }</pre>
restore-card-live-untouched = То, что работает, не изменено.
restore-card-live-stopped = Сами данные не изменены, но службы, возможно, остановлены.
restore-card-live-back = Работает то, что было прежде.
restore-card-live-unknown = Отсюда не видно, что сейчас работает, прежнее или восстановленное: прежде всего посмотрите на { $target }.
restore-card-failed-do = Что делать: устраните названное выше и попросите снова: { $command }
restore-card-failed-look = Что делать: сначала посмотрите на { $target }, затем в журнал исполнителя; пути описаны в <code>docs/runbook.md</code>.
restore-card-cancelled = Отменено: { $by }.
restore-card-expired = Вовремя не подтверждено или не одобрено. Ничего не изменено.
restore-card-by = Просит: { $by }, { $created }
restore-card-id = Восстановление <code>{ $id }</code>, запуск <code>{ $run }</code>

restore-keep-ask = <b>Удалить прежнее { $target } восстановления { $id } сейчас?</b>
    Вернуть кнопкой будет нельзя; останется только копия, сделанная перед этим (запуск <code>{ $run }</code>).
restore-keep-ask-bare = <b>Удалить прежнее { $target } восстановления { $id } сейчас?</b>
    Вернуть кнопкой будет нельзя.
restore-keep-ask-undone = <b>Удалить сейчас то, что восстановление { $id } поставило на место { $target }?</b>
    То, что работает, останется как есть.
restore-keep-done = Будет удалено.
restore-keep-gone = Рядом уже ничего не осталось.

toast-restore-choose = Куда: см. ниже
toast-restore-confirmed = Напишите имя в ответ на вопрос ниже
toast-restore-keep = Точно? См. ниже
toast-restore-looking = Смотрю ещё раз
toast-restore-undo = Смотрю, что записано с тех пор; потом нужно одобрить
toast-restore-over = С этим уже закончено. Ничего не сделано.
toast-restore-beyond = Поздно: обмен начался. Потом можно вернуть как было.

restore-ask-where-roles = <b>Роли</b>: чем роли сервера отличаются от копии, и вернуть недостающие. Базы данных не трогаю.
button-restore-roles = Роли
button-restore-roles-missing = { $missing ->
    [one] Создать { $missing } недостающую
    [few] Создать { $missing } недостающие
    [many] Создать { $missing } недостающих
   *[other] Создать { $missing } недостающей
}
button-restore-roles-altered = { $altered ->
    [one] Изменить { $altered } отличающуюся
    [few] Изменить { $altered } отличающиеся
    [many] Изменить { $altered } отличающихся
   *[other] Изменить { $altered } отличающейся
}
button-restore-roles-all = Создать { $missing } и изменить { $altered }
toast-restore-roles = Сравниваю роли: см. ниже

restore-roles-title-looking = 🔎 <b>Роли { $name }</b>: смотрю
restore-roles-title-refused = ⛔ <b>Роли { $name }</b>: сравнить не удалось
restore-roles-title-ready = ⚠️ <b>Роли { $name }</b>: отличаются от копии
restore-roles-title-asked = 🔐 <b>Роли { $name }</b>: нужно одобрить
restore-roles-title-running = ⏳ <b>Роли { $name }</b>: применяю
restore-roles-title-done = ✅ <b>Роли { $name }</b>: применены
restore-roles-title-same = ✅ <b>Роли { $name }</b>: применять нечего
restore-roles-title-failed = ❌ <b>Роли { $name }</b>: применить не удалось
restore-roles-title-cancelled = 🚫 <b>Роли { $name }</b>: отменено
restore-roles-title-expired = ⌛ <b>Роли { $name }</b>: срок истёк
restore-roles-server = → роли сервера <b>{ $server }</b>
restore-roles-missing = <b>Нет на сервере</b>: { $count }
restore-roles-different = <b>Отличаются от копии</b>: { $count }
restore-roles-role = • <b>{ $role }</b>: { $what }
restore-roles-own = • <b>{ $role }</b>: { $what }. Под ней подключаюсь сама: измените вручную
restore-roles-password = пароль
restore-roles-password-other = другой пароль
restore-roles-plus = + { $what }
restore-roles-stays = { $what } (только на сервере, останется)
restore-roles-to = { $live } → { $backup }
restore-roles-extra = Есть только на сервере, не трогаю: { $list }
restore-roles-passwords = Пароли сравнить не удалось: в копии их нет, или этому пользователю нельзя читать пароли сервера.
restore-roles-ready = Пока ничего не изменено. Всё применяется одной транзакцией и требует одобрения; ничего не отнимается. Отменить потом нельзя.
restore-roles-made-to-be = Будут созданы ({ $count }): { $list }
restore-roles-altered-to-be = Будут изменены ({ $count }): { $list }
restore-roles-made-were = Созданы ({ $count }): { $list }
restore-roles-altered-were = Изменены ({ $count }): { $list }
restore-roles-running = Всё одной транзакцией.
restore-roles-compared = Проверено ещё раз: теперь как в копии.
restore-roles-left = ⚠️ Всё ещё не как в копии: { $list }. Посмотрите вручную.
restore-roles-same = Все роли копии, которые можно применить отсюда, на сервере такие же.
restore-roles-failed = Ничего не изменено: роли применяются одной транзакцией, все или ни одной.
restore-roles-lost = Роли применяются одной транзакцией: все или ни одной. Что вышло, покажет «Посмотреть ещё раз».
restore-roles-untouched = Ничего не изменено.
