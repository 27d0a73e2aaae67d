# Что может не получиться – словами для чата и терминала. Строки самой программы показываются рядом.

error-source-unreachable = база данных не отвечает
error-source-refused = база данных отвечает, но не пускает
error-source-locked = { $step }: таблица слишком долго заблокирована (ALTER TABLE, TRUNCATE, VACUUM FULL?); увеличьте lockWait или выберите другое время
error-source-tool = сбой в { $step }
error-source-empty = в источнике нечего копировать
error-source-ended = psql завершился, не ответив
error-source-description = не удалось прочесть, что сервер сообщает о себе
error-via-terminal = via: уберите терминал (-t): он исказит байты дампа
error-via-password = via: { $tool } не передаёт пароль дальше: пусть программы найдут его на месте ({ $variable } в поде), а из адреса уберите

error-tool-missing = на этой машине не установлена программа { $tool }: { $remedy }
error-tool-missing-path = на этой машине не установлена программа { $tool }: установите её или добавьте её каталог в PATH
error-tool-too-old = версия сервера – { $server }, самый новый клиент здесь – { $client }: { $remedy }
error-tool-too-old-inside = версия сервера – { $server }, самый новый клиент внутри «{ $via }» – { $client }: возьмите образ с версией { $server }
error-tool-failed = сбой в { $step } (код завершения { $status })
error-tool-killed = программа { $step } убита сигналом { $signal }
error-tool-start = программу { $step } не удалось запустить ({ $reason })
error-tool-slow = программа { $step } не закончила за { $seconds } с
error-no-pipe = не удалось создать канал в { $folder }: проверьте, что туда можно писать и есть место
error-tool-output = программа { $step } вывела больше { $bytes } байт

error-recipient = { $recipient }... – не получатель age (age1...)
error-identity = это не секретный ключ age (AGE-SECRET-KEY-1...)
error-identity-needed = копия { $run } зашифрована: чтобы её прочесть, нужен секретный ключ (identity)
error-decrypt = не расшифровывается: предназначено другому ключу, повреждено или обрезано
error-decrypt-cut = не расшифровывается: обрезано
error-decrypt-damaged = не расшифровывается: повреждено или обрезано

error-disk-full = хранилище { $storage }: диск заполнен: освободите место или сократите keep ({ $path })
error-disk-quota = хранилище { $storage }: исчерпана дисковая квота: освободите место или увеличьте её ({ $path })
error-disk-permission = хранилище { $storage }: сюда нельзя писать: сделайте пользователя исполнителя владельцем каталога ({ $path })
error-disk-read-only = хранилище { $storage }: файловая система только для чтения ({ $path })
error-disk-not-folder = хранилище { $storage }: часть пути – не каталог ({ $path })
error-disk-other = хранилище { $storage }: файловая система сообщает { $errno } ({ $path })

error-s3-network = хранилище { $storage }: нет связи с { $server } ({ $reason })
error-s3-timeout = хранилище { $storage }: { $server } не отвечает вовремя
error-s3-no-bucket = хранилище { $storage }: на { $server } нет бакета { $bucket }: создайте его
error-s3-full = хранилище { $storage }: бакет { $bucket } заполнен ({ $reason })
error-s3-list = хранилище { $storage }: { $server } отдаёт часть списка и не говорит, как получить остальное
error-s3-lost = хранилище { $storage }: { $server } не сохранил отправленное ({ $reason })
error-s3-clock = хранилище { $storage }: часы этой машины идут неверно ({ $reason })
error-s3-region = хранилище { $storage }: бакет { $bucket } находится в другом регионе ({ $reason })
error-s3-access = хранилище { $storage }: { $server } не пускает в бакет { $bucket } ({ $reason }): проверьте ключ, секрет и права
error-s3-answer = хранилище { $storage }: { $server } отвечает «{ $reason }»

error-storage-unknown = хранилища с именем { $name } нет
error-storage-no-object = в хранилище { $storage } нет { $object }
error-storage-key = хранилище { $storage }: { $object } не может быть именем объекта
error-storage-no-upload = хранилище { $storage }: { $server } не дал номера загрузки
error-storage-size = хранилище { $storage }: { $object } не совпадает с записанным; объект удалён
error-storage-reads-different = хранилище { $storage }: { $object } читается не таким, каким записан
error-storage-damaged = хранилище { $storage }: повреждён { $object }: размер или SHA-256 не тот, что в манифесте
error-storage-changed = { $object }: прочитано дважды, и начало было разным: ничего не заменено
error-storage-host = хранилище { $storage } находится на диске { $host }, а этот исполнитель работает на { $here }
error-manifest = манифест не читается
error-manifest-digest = манифест не такой, каким был записан: его изменили или повредили
error-manifest-newer = версия манифеста – { $version }, а эта программа читает не новее { $known }: обновите её
error-manifest-elsewhere = в { $folder } лежит манифест запуска { $run }: кто-то его перенёс или скопировал
error-manifest-differs = { $object } в разных хранилищах не одинаков

error-timeout = запуск не закончился за { $seconds } с – столько задано в timeout
error-no-copy = не осталось целой копии запуска { $run }, с которой можно было бы сделать ещё одну
error-copy-unwanted = { $storage } больше не хранило бы эту копию
error-cancelled = отменено: { $by }
error-interrupted = работу прервали до её завершения
error-lease-lost = за это взялся другой исполнитель
error-internal = внутри программы случилось непредвиденное ({ $reason })
error-copy-interrupted = исполнителя прервали раньше, чем эта копия была готова
error-backup-gone = копия { $name } больше не настроена
error-backup-unknown = копии с именем { $name } нет
error-run-unknown = запуск { $run } неизвестен
error-run-not-retried = запуск { $run } не провалился и не был отменён: повторять нечего
error-card-unknown = { $id } больше не существует
error-card-busy = { $id } меняется слишком часто: попробуйте ещё раз
error-run-record = запуск { $run } не удалось записать в Redis ({ $reason })
error-redis-silent = Redis по адресу { $host } не отвечает: запустите его или сделайте копию с --here
error-redis-old = Redis { $version } слишком старый: нужен 6.2 или новее
error-env-value = значение { $name } нельзя записать в .env
