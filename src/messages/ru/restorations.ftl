# Восстановление рабочих данных: заказы, что согласуется, что не вышло. Слова самой карточки — в restore-chat.ftl.

restoration-title-in-place = Восстановить { $target } из копии от { $at }
restoration-title-in-place-part = Восстановить { $pick } в { $target } из копии от { $at }
restoration-title-beside = Восстановить { $name } из копии от { $at } как { $target }
restoration-title-beside-part = Восстановить { $pick } из { $name } от { $at } как { $target }
restoration-title-undo = Отменить восстановление { $target }

restoration-detail-backup = Копия { $backup } от { $at }, источник: { $from }
restoration-detail-lost = Будет потеряно сверх того, что в копии: { $list }
restoration-detail-nothing-lost = Данных сверх копии не обнаружено.
restoration-detail-back-kept = Нынешние данные останутся рядом: их вернёт кнопка «Вернуть».
restoration-detail-back-former = Сначала снимается копия нынешних данных: её восстановит кнопка «Вернуть».
restoration-detail-back-versions = Нынешние данные останутся в хранилище прежними версиями: их вернёт кнопка «Вернуть».
restoration-detail-back-none = ⚠️ Пути назад не будет.
restoration-detail-no-backup = ⚠️ Без копии нынешних данных.
restoration-detail-sessions = { $count ->
    [one] Будет разорвано { $count } соединение.
    [few] Будет разорвано { $count } соединения.
    [many] Будет разорвано { $count } соединений.
   *[other] Будет разорвано { $count } соединения.
}
restoration-detail-undo-lost = Записано после восстановления и будет потеряно: { $list }
restoration-detail-undo-nothing = Записей после восстановления не обнаружено.
restoration-detail-undo-kept = Нынешние данные останутся рядом на тот же срок, что и после восстановления.
restoration-detail-undo-former = Сначала снимается копия нынешних данных, затем их заменит копия, снятая прямо перед восстановлением.
restoration-detail-undo-versions = Нынешние данные останутся в хранилище прежними версиями.
restoration-detail-id = Восстановление { $id }

restoration-refused-role-viewer = Для этого нужна роль «наблюдатель»
restoration-refused-role-operator = Для этого нужна роль «оператор»
restoration-refused-role-admin = Для этого нужна роль «администратор»
restoration-refused-not-yours = Заказ сделал { $by }: решает только он или администратор
restoration-refused-confirm = Подтвердить уже нельзя: проверьте ещё раз
restoration-refused-cancel = Отменить уже нельзя
restoration-refused-look = Сейчас не время проверять ещё раз
restoration-refused-undo = Возвращать нечего, или возврат уже идёт
restoration-refused-keep = Рядом уже ничего не хранится
restoration-refused-successor = После этого то же самое заменило восстановление { $id }: сначала отмените его

restoration-reason-unconfigured = { $name } больше нет в настройках: скачайте копию или восстановите её командой vakhta restore
restoration-reason-kind = копии вида { $kind } из чата не восстанавливаются: скачайте копию или восстановите её командой vakhta restore
restoration-reason-other-kind = копия вида { $was }, а в настройках теперь { $kind }: скачайте копию или восстановите её командой vakhta restore
restoration-reason-only-in-place = вид { $kind } восстанавливается только на месте
restoration-reason-only-beside = вид { $kind } восстанавливается только рядом с рабочими данными

error-restoration-unknown = восстановление { $id } неизвестно
error-restoration-record = восстановление { $id } не удалось записать ({ $reason })
error-restoration-place = туда эту копию восстановить нельзя

restoration-passed-elsewhere = до неё дотягивается только исполнитель { $host }
restoration-passed-other = её манифест не тот, что был выбран
restoration-passed-unsound = известно, что она не цела
restoration-passed-error = { $code }: { $reason }

restoration-obstacle-other = с той же целью работает восстановление { $id } ({ $by }): дождитесь его конца или отмените его
restoration-remark-stop = Перед подменой останавливается: { $programs }
restoration-remark-start = После подмены запускается: { $programs }

restoration-ended-done = Восстановлено: смотрите восстановление { $id }
restoration-ended-undone = Возвращено: смотрите восстановление { $id }
restoration-ended-cancelled = Отменено: смотрите восстановление { $id }
restoration-ended-failed = Не восстановлено: смотрите восстановление { $id }
restoration-ended-refused = Отклонено: смотрите восстановление { $id }
restoration-ended-expired = Ничего не сделано: вовремя не согласовали
restoration-ended-elsewhere = Продолжает другой исполнитель: смотрите восстановление { $id }
restoration-ended-rejected = { $by } — против
restoration-ended-void-target = цель уже не та, на которую соглашались
restoration-ended-void-gone = копия или цель больше не находится
restoration-ended-void-arguments = заказ уже не тот, на который соглашались
restoration-ended-void-policy = тем временем изменились правила согласования
restoration-ended-void-requester = заказавшему это больше не разрешено
restoration-ended-void-mistyped = пять раз набрано другое имя
restoration-ended-void-action = исполнитель не знает такого действия: возможно, он другой версии

error-restoration-no-sound = ни из одной копии { $backup } восстановить нельзя: { $storages }. Выберите другую копию или восстановите вручную командой vakhta restore
error-restoration-target-busy = с { $target } сейчас работает восстановление { $id }
error-restoration-backup = снять копию нынешних данных не удалось (запуск { $run }: { $reason }): ничего не изменено. Если нынешние данные слишком повреждены, можно восстановить без неё
error-restoration-differs = { $count ->
    [one] восстановленное расходится с манифестом в { $count } месте: оно удалено, рабочие данные не тронуты
    [few] восстановленное расходится с манифестом в { $count } местах: оно удалено, рабочие данные не тронуты
    [many] восстановленное расходится с манифестом в { $count } местах: оно удалено, рабочие данные не тронуты
   *[other] восстановленное расходится с манифестом в { $count } места: оно удалено, рабочие данные не тронуты
}
error-restoration-differs-beside = { $count ->
    [one] восстановленное расходится с манифестом в { $count } месте: оно оставлено, чтобы вы посмотрели
    [few] восстановленное расходится с манифестом в { $count } местах: оно оставлено, чтобы вы посмотрели
    [many] восстановленное расходится с манифестом в { $count } местах: оно оставлено, чтобы вы посмотрели
   *[other] восстановленное расходится с манифестом в { $count } места: оно оставлено, чтобы вы посмотрели
}
error-restoration-not-asked = восстановление { $id } изменилось с тех пор, как его заказали
error-restoration-other-target = в конфигурации теперь другое место ({ $target }), а восстановлено было { $was }: его не трогаю. Верните прежний адрес и нажмите ещё раз
error-restoration-lost = его исполнитель потерян, и никто не продолжает: оставшееся после него удаляется
error-restoration-undo-lost = его исполнитель потерян, и никто не продолжает: работает то, что было восстановлено

config-warning-stop-only = остановленное здесь на время восстановления никто не запустит: в restore.start ничего нет.

restoration-title-globals-missing = Создать роли { $name }, которых нет на { $server }, из копии от { $at }
restoration-title-globals-all = Создать и изменить роли { $name } на { $server } по копии от { $at }
restoration-detail-roles-made = Будут созданы вместе с паролями ({ $count }): { $list }
restoration-detail-roles-altered = Будут изменены ({ $count }): { $list }
restoration-detail-roles-kept = Всё одной транзакцией; ничего не отнимается. Отменить потом нельзя.
restoration-reason-no-roles = в копии { $name } нет ролей, которые можно применить отсюда
error-globals-changed = роли на сервере уже отличаются не так, как было одобрено: посмотрите ещё раз
