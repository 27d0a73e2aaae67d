# Опасные распоряжения и кто с ними согласен: карточка, вопросы под ней, всплывающие ответы.

approval-title-typing = ⌨️ <b>{ $title }</b>: нужно подтвердить
approval-title-open = 🔐 <b>{ $title }</b>: нужно одобрить
approval-title-approved = 🔓 <b>{ $title }</b>: одобрено
approval-title-executing = ⚙️ <b>{ $title }</b>: выполняется
approval-title-done = ✅ <b>{ $title }</b>: выполнено
approval-title-ordered = 📨 <b>{ $title }</b>: передано
approval-title-failed = ❌ <b>{ $title }</b>: не получилось
approval-title-unknown = ⚠️ <b>{ $title }</b>: оборвалось
approval-title-rejected = ⛔ <b>{ $title }</b>: отклонено
approval-title-cancelled = 🚫 <b>{ $title }</b>: отозвано
approval-title-expired = ⌛ <b>{ $title }</b>: срок истёк
approval-title-void = ✖️ <b>{ $title }</b>: недействительно

approval-asked-by = Просит: { $by }, { $at }
approval-asked-itself = Просит сама Вахта, { $at }
approval-approved-by = ✔ { $by }, { $at }
approval-typing = Жду, пока { $by } напишет имя.
approval-missing = { $missing ->
    [one] Не хватает { $missing } одобрения из { $needed }, роль: { $role }
    [few] Не хватает { $missing } одобрений из { $needed }, роль: { $role }
    [many] Не хватает { $missing } одобрений из { $needed }, роль: { $role }
   *[other] Не хватает { $missing } одобрений из { $needed }, роль: { $role }
}
approval-others = { $by } просит и не в счёт.
approval-waits = Жду исполнителя.
approval-until = Действует до: { $at }
approval-executing = На { $host } с { $at }
approval-resumed = Попытка { $attempt }: прежний исполнитель пропал, этот продолжает.
approval-done = Выполнено на { $host } за { $duration }.
approval-ordered = Провайдеру передал исполнитель на { $host }, за { $duration }.
approval-failed = На { $host } через { $duration } не получилось: { $reason }
approval-unknown = Воркер на { $host } пропал на полпути, и никто не знает, что успело произойти. Повторять не буду: посмотрите, что с { $target }, прежде чем просить снова.
approval-rejected-by = { $by } против, { $at }. Ничего не сделано.
approval-reason = Причина: { $reason }
approval-cancelled-by = { $by } отзывает, { $at }. Ничего не сделано.
approval-expired-typing = { $by } не пишет имя вовремя. Ничего не сделано.
approval-expired-open = Одобрений вовремя не набралось. Ничего не сделано.
approval-expired-approved = Одобрено, но ни один исполнитель вовремя не начал. Ничего не сделано.
approval-void-target = Цель уже не та, о которой договаривались; изменилось: { $facts }. Ничего не сделано.
approval-void-gone = Цель { $target } больше не найти. Ничего не сделано.
approval-void-arguments = Распоряжение уже не то, о котором договаривались. Ничего не сделано.
approval-void-policy = Правила одобрения за это время изменились. Ничего не сделано: попросите снова.
approval-void-requester = { $by } больше не может об этом просить. Ничего не сделано.
approval-void-mistyped = Пять раз было написано другое. Ничего не сделано.
approval-void-action = Воркер не знает такого действия; возможно, у него другая версия. Ничего не сделано.
approval-error = Причина: { $reason }
approval-fact-manifest = резервная копия
approval-fact-system = сервер, которому она принадлежит
approval-fact-database = база данных
approval-fact-roles = отличия его ролей
approval-fact-server = сервер
approval-fact-power = включён ли он
approval-fact-state = его состояние
approval-id = Одобрение <code>{ $id }</code>, ровно на <code>{ $binding }</code>

approval-is-typing = ждёт подтверждения
approval-is-open = ждёт одобрений
approval-is-approved = одобрено
approval-is-executing = выполняется
approval-is-done = выполнено
approval-is-failed = не получилось
approval-is-unknown = оборвалось
approval-is-rejected = отклонено
approval-is-cancelled = отозвано
approval-is-expired = срок истёк
approval-is-void = недействительно

approval-type-name = <a href="tg://user?id={ $user }">{ $name }</a>, чтобы подтвердить, ответьте на это сообщение именем <code>{ $target }</code>, до { $until }.
approval-type-here = { $target }
approval-again-wrong = Написано другое. Ничего не подтверждено.
approval-again-late = Ответ дошёл до меня намного позже, чем был отправлен, поэтому он не в счёт. Это ещё нужно?
approval-ask-reason = <a href="tg://user?id={ $user }">{ $name }</a>, если хотите сказать почему, ответьте на это сообщение. Всё уже остановлено.
approval-reason-here = Почему нет
approval-not-taken = { $why }

button-approve = Одобрить
button-reject = Отклонить
toast-approval-agreed = Одобрено: начинается
toast-approval-counts = { $missing ->
    [one] Учтено; нужно ещё { $missing }
    [few] Учтено; нужно ещё { $missing }
    [many] Учтено; нужно ещё { $missing }
   *[other] Учтено; нужно ещё { $missing }
}
toast-approval-rejected = Отклонено
toast-approval-cancelled = Отозвано
toast-approval-requester = Об этом просите вы: одобрить должны другие. Ничего не сделано.
toast-approval-already = Ваше решение уже учтено, один раз.
toast-approval-not-yours = Это решает { $by } или администратор. Ничего не сделано.
toast-approval-not-asked = Этот вопрос к { $by }. Ничего не сделано.
toast-approval-typing = Сначала имя: его пишет { $by }. Ничего не сделано.
toast-approval-expired = Поздно: срок истёк. Ничего не сделано.
toast-approval-over = Уже решено: { $status }. Ничего не сделано.

error-approval-asked = для { $target } об этом уже просят: сначала решите про { $id }
error-approval-requester = просить об этом могут только операторы и администраторы
error-approval-impossible = { $role ->
    [admin] нужно одобрений администраторов: { $needed }, а набрать можно { $most }: измените approvals в конфигурации
   *[operator] нужно одобрений операторов или администраторов: { $needed }, а набрать можно { $most }: измените approvals в конфигурации
}
