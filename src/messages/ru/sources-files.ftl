# Файлы и папки, а также настройки машины как источники.

source-files = файлы и папки
source-title-files = файлы: { $paths }
source-config = настройки машины
source-title-config = настройки: { $what }
source-title-config-absent = настройки: { $what } (на этой машине нет: { $absent })

error-files-missing = { $path }: такого пути нет
error-files-no-access = { $path } не может прочитать этот пользователь: дайте исполнителю право или задайте unreadable: note
error-files-unreadable = { $total ->
    [one] не удалось прочитать { $path } и всего { $total } объект
    [few] не удалось прочитать { $path } и всего { $total } объекта
    [many] не удалось прочитать { $path } и всего { $total } объектов
   *[other] не удалось прочитать { $path } и всего { $total } объекта
}. Дайте исполнителю право, исключите их или задайте unreadable: note
error-files-tar = нужен GNU tar 1.29 или новее, а не { $found }: apt-get install tar
error-files-count = в архиве не то, что говорит манифест: { $what } { $found }, ожидалось { $expected }
error-files-endless = символическая ссылка ведёт обратно в папку над ней, и tar ходил по кругу: исключите её или уберите followSymlinks
error-config-absent = на этой машине нет ничего из этих наборов: { $sets }

backup-notes-moved = ⚠️ Не попало в копию как есть: { $totalText }
backup-notes-skipped = Не сохранено, так как это не файлы (сокеты): { $totalText }
backup-note-changed = изменилось: { $name }
backup-note-vanished = исчезло: { $name }
backup-note-unreadable = не читается: { $name }
backup-note-skipped = пропущено: { $name }
backup-note-left-out = не вошло: { $name }
backup-notes-more = … и ещё { $moreText }: см. манифест

config-problem-files-path = нужен абсолютный путь без переносов строк, "//", "/./" и "/../".
config-problem-config-nothing = копировать нечего. Назовите sets, paths или и то и другое.
config-problem-config-plain = в настройках машины есть ключи и пароли: такая копия делается только с шифрованием. Опишите "encryption" с получателями и уберите encrypt.
config-problem-files-storage = локальное хранилище { $storage } лежит внутри того, что копируется: каждая копия вобрала бы прежние. Добавьте { $path } в source.exclude.
