# Что провайдеры сообщают помимо измерений: /servers, аккаунты, управляемые базы, бакеты.

error-inventory-none = у провайдера { $account } нет управляемых баз
error-inventory-slow = провайдер отвечает слишком долго
error-provider-unknown = провайдера { $name } нет: см. providers в конфигурации
error-managed-gone = у провайдера { $account } больше нет базы { $id }
error-managed-backup = провайдер не смог сделать копию
error-auto-backups-same = менять нечего: настройки уже такие
error-auto-backups-changed = настройки тем временем изменил кто-то другой: посмотрите на них и попросите снова
error-auto-backups-not-taken = провайдер { $account } не принял настройки: проверьте их в его панели

managed-same-provider = ⚠️ Эти копии хранит тот же провайдер: это не копия в другом месте.
managed-backup-title = Копия базы { $name } у { $account }
managed-backup-ordered = Заказано; как идёт дело, показывает отдельная карточка.
managed-detail-type = Тип: { $type }
managed-auto-title = Автокопии базы { $name } у { $account }: новые настройки
managed-auto-done = Новые настройки у провайдера.
managed-change-on = • выключены → <b>включены</b>
managed-change-off = • включены → <b>выключены</b>: сами копии больше не делаются
managed-change-copies = • Хранить копий: { $from } → <b>{ $to }</b>
managed-change-interval = • Как часто: { $from ->
    [day] каждый день
    [week] каждую неделю
    [month] каждый месяц
   *[none] –
} → <b>{ $to ->
    [day] каждый день
    [week] каждую неделю
    [month] каждый месяц
   *[none] –
}</b>
managed-change-day = • День: { $from ->
    [d1] понедельник
    [d2] вторник
    [d3] среда
    [d4] четверг
    [d5] пятница
    [d6] суббота
    [d7] воскресенье
   *[d0] –
} → <b>{ $to ->
    [d1] понедельник
    [d2] вторник
    [d3] среда
    [d4] четверг
    [d5] пятница
    [d6] суббота
    [d7] воскресенье
   *[d0] –
}</b>
managed-change-start = • Первая: { $from } → <b>{ $to }</b>
