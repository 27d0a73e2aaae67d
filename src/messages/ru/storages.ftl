error-s3-archived = хранилище { $storage }: { $object } лежит в архиве ({ $reason }): сначала запросите восстановление (aws s3api restore-object); читать можно будет через несколько часов
error-s3-class = хранилище { $storage }: у { $server } нет такого класса хранения: измените storageClass или storageClasses
error-s3-kms = хранилище { $storage }: { $server } не может использовать ключ KMS ({ $reason }): проверьте kmsKeyId и права на ключ
error-s3-locked = хранилище { $storage }: { $object } заблокирован: удалить можно, когда блокировка закончится
error-s3-no-lock = хранилище { $storage }: бакет { $bucket } создан без блокировки объектов: создайте бакет с ней или уберите objectLock
error-s3-keys = хранилище { $storage }: нет действующих ключей для { $server } ({ $reason }): задайте accessKeyId и secretAccessKey или AWS_ACCESS_KEY_ID и AWS_SECRET_ACCESS_KEY

error-storage-parts = хранилище { $storage }: { $server } принимает { $parts } частей одного объекта, а этому нужно больше: увеличьте partSize
error-storage-class = хранилище { $storage }: { $object } попал в класс { $storageClass } не целиком
error-storage-no-room = хранилище { $storage }: нужно { $needed }, свободно { $free }, из них { $reserve } остаются свободными (minFree): освободите место или сократите keep ({ $path })
error-storage-room-gone = хранилище { $storage }: свободно только { $free }, а { $reserve } остаются свободными (minFree): освободите место или сократите keep ({ $path })

error-storage-url = { $url } – не адрес хранилища: нужен s3://бакет/префикс или file:///каталог
error-storage-url-keys = в адресе хранилища ключей быть не должно: его видят другие; задайте AWS_ACCESS_KEY_ID и AWS_SECRET_ACCESS_KEY
error-storage-url-option = { $option } в адресе хранилища не известен; известны { $known }
error-storage-url-value = { $option } в адресе хранилища задан неверно

config-problem-storage-class = нужно имя класса хранения, например STANDARD_IA.
config-problem-archive-class = архивный класс не годится: новые копии читаются и проверяются. Для старых есть storageClasses.
config-problem-lock-time = допустимо от «1h» до «36500d».
config-problem-bandwidth = не меньше «64KiB» в секунду.
config-problem-s3-keys = задайте и accessKeyId, и secretAccessKey – или ни того, ни другого.
config-problem-kms = нужен serverSideEncryption: aws:kms.
config-problem-min-free = нужен размер или доля диска, например «10GiB» или «5%».
