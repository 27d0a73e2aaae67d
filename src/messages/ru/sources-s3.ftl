# Бакет как источник.

source-s3 = объекты бакета
source-title-s3 = бакет { $bucket } на { $server }{ $how ->
    [changes] , новые и изменённые объекты
    [first] , целиком: первая копия
    [copies] , целиком: прежней копии нет целой во всех хранилищах
    [key] , целиком: здесь нет ключа прежней копии
    [recipients] , целиком: шифрование изменилось
    [damaged] , целиком: опись прежней копии не читается
    [age] , целиком: пришло время (fullEvery)
    [runs] , целиком: прежняя копия опирается на слишком много запусков
    [bucket] , целиком: прежняя копия другого бакета
    [clock] , целиком: прежняя копия лежит в будущем
   *[other] { "" }
}

error-source-s3-network = { $server } недоступен ({ $reason })
error-source-s3-timeout = { $server } не отвечает вовремя
error-source-s3-no-bucket = на { $server } нет бакета { $bucket }
error-source-s3-access = { $server } не пускает к бакету { $bucket } ({ $reason }): ключу нужно право на список и на чтение объектов
error-source-s3-object = { $server } не отдаёт { $object } из бакета { $bucket } ({ $reason }): разрешите чтение или исключите объект
error-source-s3-archived = { $object } в бакете { $bucket } лежит в архивном классе: восстановите его там или исключите
error-source-s3-clock = часы этой машины неверны ({ $reason })
error-source-s3-region = бакет { $bucket } в другом регионе ({ $reason })
error-source-s3-keys = для { $server } нет действующих ключей ({ $reason }): задайте accessKeyId и secretAccessKey или AWS_ACCESS_KEY_ID и AWS_SECRET_ACCESS_KEY
error-source-s3-answer = { $server } отвечает «{ $reason }»
error-source-s3-odd = { $server } отвечает не по правилам S3: { $what }
error-source-s3-restless = { $object } заменяют быстрее, чем его можно прочесть: исключите его
error-source-s3-longer = { $object } отдаёт больше байтов, чем заявлено
error-source-s3-empty = под { $place } нет ни одного объекта: если так и должно быть, allowEmpty

error-copy-references = в { $storage } нет запуска { $run }, который нужен этой копии: следующий запуск прочтёт всё заново
error-s3-index = опись копии не читается
error-s3-index-disk = опись не помещается в { $path } ({ $code })
error-s3-archive = архив копии не читается
error-s3-count = копия не такая, как сказано в её манифесте
error-s3-missing = в архиве нет { $object } там, где указывает опись
error-s3-target = нужно s3://бакет/префикс?endpoint=https://... без ключей или путь к папке
error-s3-not-empty = место { $place } не пусто: там есть { $object }
error-s3-restore-disk = не записать { $path } ({ $code })

remark-s3-not-written = каждый объект прочтён и сверен, ни один не записан: бакет больше временной папки
remark-s3-attributes = у файлов нет типов содержимого и метаданных: они остались в описи, при восстановлении в бакет они будут
remark-s3-aside = { $count ->
    [one] { $count } ключ не годится в пути: его объект лежит в { $folder }, имя в keys.jsonl
    [few] { $count } ключа не годятся в пути: их объекты лежат в { $folder }, имена в keys.jsonl
    [many] { $count } ключей не годятся в пути: их объекты лежат в { $folder }, имена в keys.jsonl
   *[other] { $count } ключа не годятся в пути: их объекты лежат в { $folder }, имена в keys.jsonl
}
remark-s3-nameless = отметка самой папки пропущена: у корня бакета её не бывает

config-problem-s3-itself = хранилище { $storage } лежит в бакете, который копируется: каждая копия вобрала бы прежние. Дайте хранилищу свой префикс или бакет и добавьте «{ $pattern }» в source.exclude.
