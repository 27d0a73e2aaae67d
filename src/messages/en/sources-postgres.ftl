# PostgreSQL as a source: what can be wrong with its configuration, what a restore says.

source-title-postgres-several = { $count ->
    [one] PostgreSQL { $version }, { $count } database
   *[other] PostgreSQL { $version }, { $count } databases
}

config-problem-postgres-exclude = this leaves databases out of "databases: all". Set that, or leave this out.
config-problem-postgres-twice = a database is named twice. Name each once.
config-problem-postgres-schemas = pg_dump ignores schemas when tables are chosen. Write the schema into the pattern: app.orders.
config-problem-postgres-password = the url has a password already. Leave one of the two out.

error-source-database = there is no database { $database } that allows connections
error-source-nothing-chosen = schemas and tables are chosen so that nothing of database { $database } would be in the backup: choose others, or leave the database out
error-password-file = the password file { $file } can not be read ({ $code })
error-password-file-empty = the password file { $file } is empty

error-restore-older = the server is PostgreSQL { $server }, the backup is of { $backup }: restore into { $backup } or newer
error-restore-not-empty = database { $database } is not empty: it has { $list }
error-restore-no-database = backup { $id } has no database { $database }
error-restore-extensions = the server lacks extensions that the backup needs: { $list }; install them for PostgreSQL { $major }
error-restore-extension = the server lacks the extension { $extension }: install it there
error-restore-role = role { $role } is not on the server: make it, or restore without owners and privileges
error-restore-permission = { $step }: the user may not do this there; restore as a superuser, or without owners and privileges
error-restore-globals = roles and tablespaces can not be made as they were; make them yourself, restore as a superuser, or without owners and privileges

error-private-root = PostgreSQL does not run as root: setpriv (util-linux) and a user postgres are needed
error-private-folder = user { $user } can not enter { $folder }: choose a scratch folder whose parents everybody may enter
error-private-missing = there is no PostgreSQL { $major } server on this machine for a test-restore: { $remedy }

remark-restore-owners = restored without owners and privileges: the scratch server lacks their roles ({ $roles })
remark-restore-no-roles = restored without owners and privileges: the backup has no roles
remark-restore-no-superuser = restored without owners and privileges: the scratch server's user is no superuser
remark-restore-locale = restored with the locale C: the scratch server lacks { $locale }
