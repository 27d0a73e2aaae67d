# Проверки: карточка, /verify, наблюдение, doctor и командная строка.

command-verify = Доказать, что копия восстанавливается

depth-stored = байты прочитаны
depth-readable = прочитана целиком
depth-restored = восстановлена и пересчитана
verify-depth-stored-text = каждый сохранённый байт читается и сверяется по SHA-256
verify-depth-readable-text = копия расшифровывается, распаковывается и читается до конца своими инструментами
verify-depth-restored-text = копия восстанавливается на пробном месте, пересчитывается, сверяется с манифестом и удаляется оттуда

verify-title-queued = 🕓 <b>Проверка { $name }</b> ждёт
verify-title-running = 🔎 <b>{ $name }: идёт проверка</b>
verify-title-passed = ✅ <b>Копия { $name } в порядке</b>
verify-title-shallow = ⚠️ <b>Копия { $name } в порядке</b>, но так глубоко, как нужно, её проверить нельзя
verify-title-failed = ❌ <b>Копия { $name } негодна</b>
verify-title-unknown = ⚠️ <b>Копию { $name } проверить не удалось</b>
verify-title-cancelled = 🚫 <b>Проверка { $name }</b> отменена

verify-phase-waiting = ожидание
verify-phase-preflight = чтение манифеста
verify-phase-stored = чтение всех байтов
verify-phase-readable = расшифровка, распаковка, чтение до конца
verify-phase-restored = восстановление на пробном месте
verify-phase-record = запись результата

verify-backup-plain = Копия от { $at }
verify-copy = Лежит в <b>{ $storage }</b> <code>{ $location }</code>
verify-wanted = Глубина: { $depth }
verify-waits = Ждёт, пока закончится проверка <code>{ $verification }</code> той же копии.
verify-waiting = Ждёт исполнителя.
verify-phase = Этап: { $phase }
verify-progress = Прочитано: { $read } из { $total } ({ $percent } %)
verify-elapsed = Прошло: { $duration }
verify-attempt = Попытка { $attempt }: исполнитель был прерван на этапе «{ $phase }»; то, что после него осталось, удалено.
verify-cancelling = { $by } отменяет; идёт уборка…
verify-cancelled = Отменено: { $by }. Ничего не выяснено, ничего не осталось.

verify-restored-rows = Восстановлено и пересчитано: { $rowsText } { $rows ->
    [one] строка
    [few] строки
    [many] строк
   *[other] строки
} в { $tablesText } { $tables ->
    [one] таблице
    [few] таблицах
    [many] таблицах
   *[other] таблицах
}, как при копировании.
verify-restored-keys = Восстановлено и пересчитано: { $countText } { $count ->
    [one] ключ
    [few] ключа
    [many] ключей
   *[other] ключа
}, как при копировании.
verify-restored-entries = Восстановлено и пересчитано: { $countText } { $count ->
    [one] запись
    [few] записи
    [many] записей
   *[other] записи
}, как при копировании.
verify-restored-objects = Восстановлено и пересчитано: { $countText } { $count ->
    [one] объект
    [few] объекта
    [many] объектов
   *[other] объекта
}, как при копировании.
verify-restored-uncounted = Восстановлено до конца. Сверить количество не с чем.
verify-restore-took = Восстановление заняло { $duration }.
verify-readable-ok = Прочитано целиком: каждая часть { $encrypted ->
    [yes] расшифрована, распакована
   *[no] распакована
} и прочитана до конца, и каждый байт — тот, что был записан.
verify-stored-ok = Прочитан каждый сохранённый байт: все те, что были записаны ({ $size }).
verify-took = Проверка заняла { $duration }.
verify-not-deeper = Нужна была глубина: { $depth }. { $reason }
verify-because-identity = Копия зашифрована, а секретный ключ здесь не задан, поэтому можно проверить только сохранённые байты: задайте <code>encryption.identity</code> исполнителю или проверьте там, где ключ есть: vakhta verify.
verify-because-kind = Эта версия не знает источников вида { $kind }: обновите её.
verify-because-no-test = Копии этого вида нельзя восстановить на пробу.
verify-because-command = Как её восстановить, знает только программа: назовите её в <code>source.testRestore</code>.
verify-remark = ℹ️ { $remark }

verify-differences = <b>{ $countText } { $count ->
    [one] расхождение
    [few] расхождения
    [many] расхождений
   *[other] расхождения
}</b> с тем, что было скопировано:
verify-difference = • <code>{ $what }</code>: скопировано { $expected }, восстановлено { $found }
verify-differences-more = … и ещё { $count }
verify-reason = { $reason }
verify-reason-differences = Восстановленное отличается от скопированного: { $count ->
    [one] { $count } расхождение
    [few] { $count } расхождения
    [many] { $count } расхождений
   *[other] { $count } расхождения
}
verify-do-damaged = Что делать: на этот экземпляр полагаться нельзя. Возьмите другой или более старую копию, сделайте новую сейчас (/backup) и разберитесь с хранилищем.
verify-do-differs = Что делать: не полагайтесь на эту копию. Сделайте новую сейчас (/backup) и проверьте её; если и она расходится, разберитесь с источником.
verify-do-key = Что делать: заданный ключ эту копию не открывает. Найдите секретный ключ её получателей: без него её не восстановит никто.
verify-do-elsewhere = Что делать: исправьте то, что названо выше, и проверьте ещё раз. Против самой копии это не говорит ничего.
verify-unrecorded = ⚠️ Результат не удалось записать рядом с копией: { $reason }
verify-again-by = Повтор, { $by }: <code>{ $verification }</code>
verify-stderr = <pre>{ $stderr }</pre>
verify-by-person = Запросил(а) { $by }, { $created }
verify-by-schedule = По расписанию, { $due }
verify-by-copy = С этого экземпляра не удалось сделать ещё один, { $created }
verify-id = Проверка <code>{ $verification }</code>
verify-document-title = Расхождения в копии { $name } от { $at }
verify-document-line = { $what }: скопировано { $expected }, восстановлено { $found }

button-verify = Проверить
button-verify-again = Проверить ещё раз
toast-verifying = Проверка заказана.

backup-proof = 🔎 Проверена { $at } в <b>{ $storage }</b>: { $depth }
backup-proof-restore = 🔎 Проверена { $at } в <b>{ $storage }</b>: { $depth }; восстановление заняло { $duration }
backup-proof-failed = ❌ Негодна ({ $at }) в <b>{ $storage }</b>: { $reason }

verify-choose = <b>Какую копию проверить?</b>
verify-choose-backup = <b>{ $name }</b>: которую из копий?
verify-choose-backup-one =
    <b>{ $name }</b>
    { $line }
verify-choose-more = { $name }: { $proof }
verify-choose-none = ▫️ <b>{ $name }</b>: нет ни одной копии, которую можно проверить.
verify-none-configured = Пока не настроено ни одной копии.
verify-no-such = Копии с именем <b>{ $name }</b> нет. Есть: { $names }
verify-no-such-id = У <b>{ $name }</b> нет копии с номером <code>{ $backup }</code>.
verify-line = { $mark } { $at }, { $size } – { $proof }
verify-proof-none = ещё не проверена
verify-proof-ok = { $depth }, { $age } назад
verify-proof-bad = негодна, { $age } назад
verify-choose-depth = Насколько глубоко?
verify-line-depth = <b>{ $depth }</b>: { $text }
verify-cost = Из <b>{ $storage }</b> будет прочитано { $size }.
verify-cost-restore = Восстановление на пробу занимает около { $duration }, по прошлым измерениям.
verify-ordered = Проверка заказана.
button-depth-stored = Прочитать байты
button-depth-readable = Прочитать целиком
button-depth-restored = Восстановить на пробу

watch-proof = Копия { $name } от { $at } негодна ({ $storage })
watch-proof-text =
    { $reason }
    На этот экземпляр полагаться нельзя: { $folder }
    Сделайте новую копию сейчас: /backup { $name }, проверьте её: /verify { $name }, и разберитесь с хранилищем. Тревога кончится, когда поздняя проверка этого экземпляра пройдёт или когда его не станет.
watch-unverified = Копии { $name } в { $storage } проверить не удалось
watch-unverified-text =
    { $reason }
    Речь о копии от { $at }. Против неё это не говорит ничего, но никто не знает, восстановится ли она. Исправьте то, что названо, и проверьте снова: тревога кончится со следующей проверкой этого имени, которую удастся провести.

error-verification-unknown = Проверка { $verification } уже неизвестна.
error-verification-record = Проверку { $verification } не удалось записать в Redis: { $reason }
error-verification-running = Эта проверка ещё не закончилась.
error-verify-no-copy = Ни в одном настроенном хранилище больше нет копии { $backup }.
error-verify-gone = Копии в { $storage } больше нет: в { $folder } нет манифеста.
error-verify-given-up = Исполнитель { $attempts ->
    [one] { $attempts } раз
    [few] { $attempts } раза
    [many] { $attempts } раз
   *[other] { $attempts } раза
} прервался на этой проверке, больше она не повторяется. Причину скажут его журнал и журнал системы (не хватило памяти?).
error-manifest-altered = { $storage }: { $object } — не тот манифест, что был записан.
error-scratch-full = Для восстановления на пробу нужно около { NUMBER($needed) } МиБ в { $folder }, а свободно { NUMBER($free) } МиБ. Освободите место или задайте исполнителю TMPDIR на диске побольше.
error-scratch-filled = Диск с { $folder } заполнился во время восстановления на пробу. Освободите место или задайте исполнителю TMPDIR на диске побольше.

check-key = ключ к копиям в
doctor-key-ok = открывает самую новую зашифрованную копию, { $backup }.
doctor-key-ok-both = открывает самую новую зашифрованную копию, { $backup }, и самую старую, { $oldest }.
doctor-key-none = там пока нет зашифрованной копии, чтобы его попробовать.
doctor-key-untried = попробовать не удалось: хранилище не читается.
doctor-key-locked = секретный ключ не открывает { $backup }: { $reason } Если он не тот или потерян, найдите секретный ключ получателей той копии: без него её не восстановит никто.
doctor-key-unreadable = попробовать ключ на { $backup } не удалось: { $reason }

cli-verify = доказать, что копия восстанавливается: её номер или имя (тогда самая новая)
cli-verify-depth = stored, readable или restored
cli-verify-unknown = в этих хранилищах нет копии { $which }.
cli-verify-depth-unknown = глубины { $depth } нет: stored, readable, restored.
cli-verify-looking = копия { $backup } ({ $name }), { $at }, { $size }, экземпляр в { $storage }
cli-verify-stored = прочитан каждый сохранённый байт: все те, что были записаны ({ $size }).
cli-verify-readable = прочитано целиком: каждая часть распакована и прочитана до конца.
cli-verify-restored = восстановлено и сверено: { $counted }. Восстановление заняло { $duration }.
cli-verify-uncounted = сверить количество не с чем
cli-verify-not-deeper = нужна была глубина: { $depth }. { $reason }
cli-verify-difference = { $what }: скопировано { $expected }, восстановлено { $found }
cli-verify-failed = копия негодна: { $reason }
cli-verify-unrecorded = результат не удалось записать в { $storage }: { $reason }
