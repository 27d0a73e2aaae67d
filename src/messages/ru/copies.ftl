## vakhta copy: одно хранилище наполняется из другого.

cli-copy = скопировать резервные копии из одного хранилища в другое: все, с одним именем или одну
cli-copy-from = хранилище, в котором они есть: имя из настроек, s3://bucket/prefix?endpoint=..., file:///папка
cli-copy-to = хранилище, в котором они должны появиться
cli-copy-same = { $storage } не наполнить из него самого: --from и --to совпадают.
cli-copy-elsewhere = хранилище { $storage } лежит на диске другого узла: копируйте там.
cli-copy-phase = копирование из { $from } в { $to }
cli-copy-copied = скопировано: { $backup }, { $size }
cli-copy-failed = не скопировано: { $backup }: { $reason }
cli-copy-done = { $to }: скопировано { $copied }, уже было { $there }, не скопировано { $failed }, за { $duration }.
error-copy-none = в { $storage } нет копий, подходящих под { $which }.
error-copy-differs = в { $storage } лежит другая { $folder }: одну из двух изменили. Ничего не заменяется.
