# Командная строка там, где есть хранилища и, может быть, больше ничего: восстановление, прореживание и общее для них.

cli-option-storage = хранилище: имя из настроек либо s3://bucket/prefix?endpoint=..., file:///папка; можно повторять
cli-option-identity = файл с секретными ключами (AGE-SECRET-KEY-...), как его пишет keygen
cli-option-yes = не просить набрать имя
cli-storage-unknown = хранилища { $storage } нет; есть: { $known }
cli-nobody = за терминалом никого нет, спросить некого: добавьте --yes
cli-not-confirmed = имя { $name } не набрано: ничего не сделано
cli-progress = { $phase } [{ $bar }] { $percent } %, { $read } из { $total }, { $rate }
cli-progress-left = осталось { $duration }

cli-backups-proof = ПРОВЕРЕНО
cli-backups-failed = не прошла
cli-backups-flaw-incomplete = неполная
cli-backups-flaw-damaged = повреждена
cli-backups-flaw-conflict = противоречие
cli-backups-flaw-chain = нет прежних частей
cli-backups-pinned = закреплена

cli-backup-not-here = здесь не делается: старые копии не удаляются (vakhta prune), а чат узнает об этой копии при следующем осмотре хранилищ.
cli-backup-hook-failed = после копии не удалось { $step }: { $reason }

cli-restore = восстановить копию в пустую базу, пустой сервер, бакет или папку
cli-restore-to = куда: postgresql://..., redis://..., s3://..., папка (по умолчанию из переменной VAKHTA_RESTORE_TO)
cli-restore-files = отдать части обычными файлами в пустую папку: расшифрованными и распакованными
cli-restore-database = из нескольких баз только эту, в базу, которую называет --to
cli-restore-no-owners = без владельцев, прав и ролей
cli-restore-check = сравнить все байты хранилища до восстановления, сколько бы их ни было
cli-restore-no-check = не сравнивать их заранее, только по ходу восстановления
cli-restore-where = скажите, куда: --to или переменная VAKHTA_RESTORE_TO
cli-restore-backup = копия { $backup } ({ $name }, { $kind }), { $at }
cli-restore-copy = экземпляр: { $storage } ({ $location })
cli-restore-copy-at = экземпляр: { $storage }
cli-restore-unsound = ни один экземпляр не назвать целым: нет какой-то части или проверка не прошла
cli-restore-whole = самая новая из других целых копий: { $backup } ({ $name }), { $at }
cli-restore-no-databases = --database: в копии вида { $kind } нет баз, из которых можно выбирать
cli-restore-copy-refused = экземпляр в { $storage } не берётся: { $reason }
cli-restore-size = размер: в хранилище { $stored }, распакованный около { $unpacked }
cli-restore-target = куда: { $to }
cli-restore-target-files = обычными файлами в: { $to }
cli-restore-room = свободно в { $folder }: { $free }
cli-restore-room-unknown = свободное место: не на этой машине, отсюда не видно
cli-restore-programs = программы: { $programs }
cli-restore-identity = зашифрована: секретный ключ подходит
cli-restore-plain = не зашифрована
cli-restore-type = Наберите имя копии ({ $name }), чтобы восстановить её:
cli-restore-phase-check = сравнение того, что лежит в хранилище
cli-restore-phase-restore = восстановление
cli-restore-done = восстановлено и сверено: { $counted }, за { $duration }.
cli-restore-done-uncounted = восстановлено за { $duration }. Сверить не с чем.
cli-restore-differs = восстановлено за { $duration }, но не так, как было: { $count ->
    [one] { $count } расхождение
    [few] { $count } расхождения
    [many] { $count } расхождений
   *[other] { $count } расхождения
} (должно быть: { $counted }).
cli-restore-nothing-left = ничего из этого там не осталось.
cli-restore-left = восстановленное до этого осталось там, неполное: { $found }
cli-restore-left-unknown = осталось ли там что-нибудь из этого, увидеть не удалось: { $found }
cli-restore-unaudited = записать об этом в { $storage } не удалось: { $reason }

cli-prune = удалить то, что не положено хранить, и объяснить, почему остальное остаётся
cli-prune-dry-run = только сказать
cli-prune-keep = что хранить, вместо настроек: daily=7,monthly=4 (last, daily, weekly, monthly, yearly) или all
cli-prune-keep-missing = скажите, что хранить: --keep daily=7,monthly=4. Без настроек никто не гадает.
cli-prune-keep-wrong = { $text } не говорит, что хранить: ожидается { $known } с числом, например daily=7,monthly=4
cli-prune-unknown = копий { $name } в этих хранилищах нет.
cli-prune-very-much = ушло бы больше половины копий { $name }: это делается, только когда кто-то за терминалом наберёт имя
cli-prune-type = Наберите имя копии ({ $name }), чтобы удалить то, что уходит:
cli-prune-without-redis = Redis не отвечает: не видно, не делает ли сейчас копию исполнитель.
cli-prune-removed = { $count ->
    [one] Удалена { $count } копия
    [few] Удалены { $count } копии
    [many] Удалено { $count } копий
   *[other] Удалено { $count } копии
} { $name } из { $storage }.

error-storage-no-folder = папки { $path } нет: подключён ли её диск?
error-identity-file = файл с секретными ключами { $file } не читается ({ $code })
error-identity-file-content = в { $file } нет секретных ключей age (AGE-SECRET-KEY-1...), по одному в строке
error-identity-other = секретный ключ не открывает копию { $run }: она зашифрована для { $recipients }
error-restore-no-path = то, что названо в --to, не папка: нужен её путь или file:///папка
error-restore-full = в { $path } не хватает места для копии
error-restore-folder-partial = { $path } не пуста: в ней { $file }, такое оставляет прерванное восстановление
error-restore-connection = сервер, на который восстанавливают, не отвечает или не впускает: { $reason }
error-restore-no-folder = { $path } — не папка, в которую можно восстановить ({ $code })
error-restore-unseen = заглянуть не удалось: { $names }. Там может быть копия новее, а { $id } лишь самая новая из остальных. Назовите этот id, чтобы всё же взять её, или хранилища: --storage.
error-restore-manifests = манифесты { $folder } в { $names } различаются: один из них изменён. Назовите хранилище, которому верите: --storage.
error-restore-kind = эта версия не восстанавливает копии вида { $kind }: возьмите её части файлами, --files
error-restore-room = восстановлению нужно около { NUMBER($needed) } МиБ в { $folder }, а свободно { NUMBER($free) } МиБ
error-lease-file = с { $name } в { $storage } сейчас работают ({ $work } на { $host }); без признаков жизни освободится после { $until }
error-prune-unreadable = из { $storage } ничего не удаляется: { $object } не имеет смысла или новее этой версии, и ему может быть нужно то, что ушло бы
error-prune-anomaly = копии { $name } не удаляются: { $backup } намного меньше прежних
error-prune-changed = { $backup } теперь должна остаться: ничего не удалено
error-prune-busy = с { $name } сейчас работает исполнитель: повторите, когда он закончит
