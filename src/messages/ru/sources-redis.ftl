# Redis как источник и как цель восстановления.

source-redis = Снимок Redis (RDB)
source-title-redis = { $product } { $version }, { $server }

error-redis-unreachable = Redis не отвечает
error-redis-password = Redis не принимает пользователя и пароль
error-redis-tls = соединение с Redis по TLS не устанавливается: смотрите его собственные слова и настройки в tls
error-redis-rights = пользователю Redis нужны права +info +sync +psync +replconf
error-redis-no-sync = этот Redis не даёт команду SYNC: управляемый сервер может не отдавать снимки
error-redis-replica = у этой реплики нет связи с мастером: её данные могут быть старыми
error-redis-loading = Redis загружает данные
error-redis-busy = Redis выполняет скрипт, который не завершается, и больше никому не отвечает
error-redis-clients = У Redis уже столько клиентов, сколько он принимает: увеличьте его настройку maxclients
error-redis-mute = Redis принимает соединение и не отвечает по нему: порт с TLS (rediss://) или без него (redis://)?
error-redis-lost = связь с Redis оборвалась раньше, чем снимок был получен целиком
error-redis-answer = Redis не ответил на INFO
error-redis-sentinel = это Sentinel, данных в нём нет: укажите сам Redis
error-redis-cluster = это один узел кластера: копируйте каждый мастер отдельно, с clusterNode: true
error-redis-incomplete = пришло не столько байтов, сколько называет redis-cli
error-redis-snapshot = redis-check-rdb не принимает снимок
error-redis-snapshot-newer = снимок более новой версии, чем redis-check-rdb: установите здесь версию сервера
error-redis-private = временный Redis не смог загрузить снимок
error-redis-memory = временному Redis нужно { $needed } МиБ памяти, а здесь свободно { $available } МиБ
error-redis-replication = цель не принимает данные; причина – в её журнале
error-redis-persist = данные в памяти цели, но сохранить их на диск она не смогла
error-redis-target-refuses = цель не выполняет команду
error-redis-target-cluster = цель – Sentinel или узел кластера: восстанавливайте в отдельный сервер
error-redis-target-replica = цель – реплика другого сервера
error-redis-target-full = в цели есть ключи: она должна быть пустой
error-redis-target-tls = цель реплицирует только по TLS: на время восстановления поставьте tls-replication no
error-redis-target-databases = у цели меньше баз, чем в копии: увеличьте её настройку databases
error-redis-target-route = цель видит эту машину как { $address }, а это не её адрес: восстанавливайте на машине самой цели
error-redis-target-old = цель – { $target }, а данные отправлял бы { $own }: установите здесь версию цели

config-problem-redis-source-url = нужен адрес redis://, rediss:// или unix:///путь. Знаки / ? # в пароле пишутся как %2F %3F %23.
config-problem-redis-source-percent = есть знак %, который ничего не кодирует. Сам процент пишется как %25.
config-problem-redis-tls = tls: только для адресов, которые начинаются с rediss://.
