# Журнал действий: /audit и `vakhta audit`.

command-audit = Кто что делал: журнал действий
audit-title = 🗒 <b>Журнал действий</b>
audit-filter = Только: { $filter }
audit-none = Ничего не записано.
audit-none-yet = Здесь ничего нет.
audit-looked = Просмотрено до #{ $seq }; среди более старых могут быть ещё.
audit-no-such = Записи #{ $seq } нет.
audit-usage = Вот так: <code>/audit</code>, <code>/audit by:alice target:shop kind:refused</code>, <code>/audit #57</code>, <code>/audit export</code>, <code>/audit export 100-200</code>
audit-line = <b>#{ $seq }</b> { $at } · { $by }: { $what }
audit-line-more = <b>#{ $seq }</b> { $at } · { $by }: { $what } · { $more }
audit-strangers = Посторонние за этот час, ещё не в журнале: { $names }
audit-by-itself = Вахта
audit-by-others = другие посторонние

audit-entry = 🗒 <b>#{ $seq }</b>: { $what }
audit-at = Когда: { $value }
audit-who = Кто: { $by }, <code>{ $id }</code>
audit-who-else = Кто: { $by }
audit-about = О чём: { $value }
audit-action = Действие: { $value }
audit-target = Цель: { $value }
audit-why = Почему: { $value }
audit-count = Сколько: { $value }
audit-host = Где: { $value }
audit-detail = { $name }: { $value }
audit-binding = Одобряли: <code>{ $value }</code>
audit-prev = Запись перед ней: <code>{ $value }</code>
audit-hash = Эта запись: <code>{ $value }</code>
audit-unchained = Без хеша: записана, когда журнал ещё не был цепочкой.

audit-exported = Записи с { $from } по { $to }: { $count }
audit-exported-some = Записи с { $from } по { $to }: { $count }. Остальные не помещаются в один документ: <code>/audit export { $before }</code>

audit-about-approval = Одобрения
audit-about-stranger = Посторонние
audit-about-pin = Закрепления
audit-about-prune = Удаления
audit-about-link = Ссылки
audit-about-silence = Тишина
audit-about-restore = Восстановления
audit-about-cli = В командной строке

audit-what-requested = просьба
audit-what-mistyped = написано другое имя
audit-what-confirmed = имя написано
audit-what-approved = одобрение
audit-what-withdrawn = одобрение снято
audit-what-agreed = одобрено всеми, кем нужно
audit-what-rejected = отказ
audit-what-reason = причина отказа
audit-what-cancelled = отменено
audit-what-expired = срок истёк
audit-what-void = недействительно
audit-what-began = началось
audit-what-resumed = продолжено
audit-what-done = сделано
audit-what-failed = не получилось
audit-what-unknown = оборвалось
audit-what-refused = не учтено
audit-what-turned-away = не допущен
audit-what-turned-away-others = не допущены
audit-what-pinned = закреплено
audit-what-unpinned = больше не закреплено
audit-what-link-ordered = просьба о ссылке
audit-what-link-made = ссылка выдана
audit-what-link-failed = ссылки не вышло
audit-what-silenced = тишина
audit-what-unsilenced = тишина окончена
audit-what-removal-agreed = удалять разрешено
audit-what-removal-declined = удалять запрещено
audit-what-restored-by-hand = восстановлено из командной строки
audit-what-restored-differs = восстановлено из командной строки с расхождениями
audit-what-restore-failed = восстановить из командной строки не удалось
audit-what-removed = удалено из командной строки
audit-what-heads-put-aside = отметки прежних журналов отложены
audit-what-obstructed = отклонено проверкой
audit-what-programs-stopped = программы остановлены
audit-what-swapped = подменено
audit-what-programs-started = программы запущены
audit-what-undo-requested = попросили вернуть прежнее
audit-what-undone = возвращено
audit-what-undo-failed = вернуть не удалось
audit-what-drop-requested = попросили удалить прежнее
audit-what-dropped = прежнее удалено
audit-what-unreadable = нельзя прочитать

button-audit-newer = ◀ Новее
button-audit-older = Старее ▶
button-audit-newest = Новейшие
button-audit-all = Все
button-audit-list = ◀ Список
button-audit-export = Выгрузить
button-audit-only = Только { $name }

cli-audit = Журнал действий
cli-audit-verify = Проверить журнал: его цепочку и вершины в хранилищах
cli-audit-export = Вывести журнал в JSON Lines
cli-audit-put-aside = После потери Redis: отложить в хранилищах отметки прежних журналов
cli-option-yes-word = не просить набрать слово
cli-audit-aside-none = Отметок другого журнала в хранилищах нет.
cli-audit-aside-found = в { $storage } лежат отметки другого журнала: { $count }, с { $first } по { $last }
cli-audit-aside-type = Наберите слово audit, чтобы отложить их:
cli-audit-aside-done = { $storage }: отложено отметок: { $count }.
cli-audit-file = проверить выгрузку, а не журнал в Redis
cli-audit-from = первый номер, без этого 1
cli-audit-to = последний номер, без этого новейший
cli-audit-number = { $value } не номер записи
cli-audit-empty = Журнал пуст.
cli-audit-whole = Журнал цел: { $entries ->
    [one] { $entriesText } запись
    [few] { $entriesText } записи
    [many] { $entriesText } записей
   *[other] { $entriesText } записи
}, с #{ $first } по #{ $last }; сошлось сохранённых вершин: { $heads }.
cli-audit-before = Записей старше цепочки, она их не защищает: { $count }.
cli-audit-part = Это не все записи: что было до #{ $first } и после #{ $last }, не проверено.
cli-audit-no-heads = Ни в одном хранилище ещё нет вершины: журнал, переписанный целиком, не отличить.
cli-audit-unseen = { $storage } не отвечает, какие там вершины: { $reason }
cli-audit-flaw-edited = Запись #{ $seq } изменена: её хеш говорит другое.
cli-audit-flaw-missing = Записей не хватает: с #{ $seq } по #{ $to }.
cli-audit-flaw-order = Запись #{ $seq } стоит не на своём месте.
cli-audit-flaw-replaced = Запись #{ $seq } не следует из предыдущей: одну из двух подменили.
cli-audit-flaw-unchained = У записи #{ $seq } нет хеша, хотя у записей до неё он есть.
cli-audit-flaw-cut = Конца не хватает: с #{ $seq } по #{ $to }, как знает { $who }.
cli-audit-flaw-rewritten = Запись #{ $seq } не та, которую знает { $who }: журнал переписан.
cli-audit-flaw-anew = Журнал начат заново: { $who } знает другой, до #{ $seq }, и его записей здесь нет.
cli-audit-flaw-unreadable = Строка на месте записи #{ $seq } не запись или изменена.
cli-audit-flaw-head-missing = В { $where } не хватает вершин, которые там были, первой за { $date }: { $count }.
cli-audit-flaw-head-unreadable = То, что лежит в { $where } за { $date }, не вершина.
cli-audit-who-redis = вершина в Redis
cli-audit-who-file = первая строка выгрузки
cli-audit-who-stored = вершина за { $date } в { $where }
error-audit-redis = Redis не отвечает; выгрузка проверяется без него: --file
error-audit-file = файл { $file } не читается ({ $code })
