# Что печатает `npm run demo`.
demo-starting-servers = Запускаю свой Redis, свой PostgreSQL, сервер S3 и местный Telegram…
demo-starting-data = Наполняю две базы для примера…
demo-starting-processes = Запускаю бота и исполнителя…
demo-ready = Готово через { $seconds } с.
demo-guide =

    Чат:  { $url }

    Откройте его в браузере (в узком окне он как телефон) и попробуйте:
      /backup         выбрать «shop», Confirm, смотреть на карточку
      /backup blog    то же, но с шифрованием
      Cancel          пока копия делается
      /status         что работает и как обстоят дела с копиями
      переключатель   говорить за оператора, наблюдателя, постороннего

    Копии кладутся в местную папку и в { $s3 }
    Источник: { $database }
    Журнал:   { $log }

    Ctrl-C завершает всё и ничего не оставляет.
demo-step-asked = ✓ запрошено: { $detail }
demo-step-confirmed = ✓ нажато: { $detail }
demo-step-done = ✓ карточка говорит: { $detail }
demo-step-listed =
    ✓ найдено в S3:
    { $detail }
demo-step-stored =
    ✓ прочитано обратно, размеры и SHA-256 совпадают с манифестом:
    { $detail }
demo-step-readable = ✓ архивы прочитаны до конца: { $detail }
demo-transcript = Чат:
demo-proven = Всё так и есть: запрошено, подтверждено, сделано, найдено, прочитано обратно, прочитано до конца.
demo-stopping = Останавливаю…
demo-failed = Демонстрация не удалась: { $reason }
