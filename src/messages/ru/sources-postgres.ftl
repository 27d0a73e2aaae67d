# PostgreSQL как источник: что может быть не так в настройках, что говорит восстановление.

source-title-postgres-several = { $count ->
    [one] PostgreSQL { $version }, { $count } база данных
    [few] PostgreSQL { $version }, { $count } базы данных
    [many] PostgreSQL { $version }, { $count } баз данных
   *[other] PostgreSQL { $version }, { $count } базы данных
}

config-problem-postgres-exclude = так исключают базы из «databases: all». Укажите его или уберите это.
config-problem-postgres-twice = база названа дважды. Назовите каждую один раз.
config-problem-postgres-schemas = pg_dump не смотрит на схемы, когда выбраны таблицы. Пишите схему в шаблоне: app.orders.
config-problem-postgres-password = пароль уже есть в url. Оставьте один из двух.

error-source-database = нет базы { $database }, к которой можно подключиться
error-source-nothing-chosen = схемы и таблицы выбраны так, что из базы { $database } в копию не попадёт ничего: выберите другие или исключите базу
error-password-file = файл с паролем { $file } не читается ({ $code })
error-password-file-empty = файл с паролем { $file } пуст

error-restore-older = на сервере PostgreSQL { $server }, копия сделана с { $backup }: восстанавливайте в { $backup } или новее
error-restore-not-empty = база { $database } не пуста: в ней { $list }
error-restore-no-database = в копии { $id } нет базы { $database }
error-restore-extensions = на сервере нет нужных копии расширений: { $list }; установите их для PostgreSQL { $major }
error-restore-extension = на сервере нет расширения { $extension }: установите его там
error-restore-role = на сервере нет роли { $role }: создайте её или восстанавливайте без владельцев и прав
error-restore-permission = { $step }: пользователю этого там нельзя; восстанавливайте суперпользователем или без владельцев и прав
error-restore-globals = роли и табличные пространства не создаются такими, как были; создайте их сами, восстанавливайте суперпользователем или без владельцев и прав

error-private-root = PostgreSQL не работает от root: нужны setpriv (util-linux) и пользователь postgres
error-private-folder = пользователь { $user } не может войти в { $folder }: выберите папку, в родительские папки которой может войти каждый
error-private-missing = на этой машине нет сервера PostgreSQL { $major } для пробного восстановления: { $remedy }

remark-restore-owners = восстановлено без владельцев и прав: на пробном сервере нет их ролей ({ $roles })
remark-restore-no-roles = восстановлено без владельцев и прав: в копии нет ролей
remark-restore-no-superuser = восстановлено без владельцев и прав: пользователь пробного сервера не суперпользователь
remark-restore-locale = восстановлено с локалью C: на пробном сервере нет { $locale }
