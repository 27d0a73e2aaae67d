# Вывод любой программы как источник.

source-command = вывод программы
source-title-command = { $file }, программа { $program }

error-command-folder = папки { $path } нет
error-command-empty = { $step } ничего не вывела: если так и должно быть, allowEmpty
error-command-no-test = в source.testRestore не названа программа: только программа знает, как восстановить эту копию
error-restore-folder = папка { $path } не пуста
error-part-unread = { $step } закончила раньше, чем прочла копию до конца

config-problem-command-file = нужно имя файла из латинских букв, цифр, точек, дефисов и подчёркиваний, без .zst и .age в конце.
config-problem-command-secret = среди аргументов стоит пароль, где его прочтёт любой пользователь машины. Перенесите его в env.
