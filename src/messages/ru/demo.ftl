# Что печатает `npm run demo`.
demo-starting-servers = Запускаю свой Redis, свой PostgreSQL, сервер S3 и местный Telegram…
demo-starting-data = Наполняю две базы для примера, смотрю на серверы за прошлую неделю…
demo-starting-processes = Запускаю бота и исполнителя…
demo-ready = Готово через { $seconds } с.
demo-guide =

    Чат:  { $url }

    Откройте его в браузере (в узком окне он как телефон) и попробуйте:
      /backup         выбрать «shop», Confirm, смотреть на карточку
      /backup blog    то же, но с шифрованием
      Cancel          пока копия делается
      /status         что работает и как обстоят дела с копиями
      /alerts         что сейчас горит
      /stats          четыре сервера вымышленного Timeweb Cloud, один с node_exporter и эта машина
      /stats web-1 24h   один из них на графике, с кнопками
      /servers        адреса, журнал действий, баланс, управляемые базы
      /reboot web-2   выбрать, Confirm, смотреть, как он возвращается
      переключатель   говорить за оператора, наблюдателя, постороннего

    Пришлите оповещение, как это сделали бы Alertmanager, Grafana или ваш скрипт, нажмите на карточке Acknowledge и
    пришлите его конец:

{ $firing }

{ $resolved }

    Пусть web-1 десять минут работает на пределе (/stats покажет это через две минуты, правило сработает ещё через четыре) или
    зависнет:

{ $load }

{ $hang }

    Ночное задание, которое вместо сигнала жизни сообщает о своём сбое:

{ $ping }

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
demo-step-alerted = ✓ приходит оповещение: { $detail }
demo-step-fired = ✓ его карточка: { $detail }
demo-step-acknowledged = ✓ нажато Acknowledge, карточка говорит: { $detail }
demo-step-resolved = ✓ приходит его конец, та же карточка говорит: { $detail }
demo-step-measured =
    ✓ /stats отвечает:
    { $detail }
demo-step-drawn = ✓ /stats одного сервера – график: { $detail }
demo-step-rebooting = ✓ запрошено и подтверждено: { $detail }
demo-step-back =
    ✓ провайдера попросили один раз и дождались возвращения; карточка говорит:
    { $detail }
demo-transcript = Чат:
demo-proven = Всё так и есть: запрошено, подтверждено, сделано, найдено, прочитано обратно, прочитано до конца; оповещение пришло, его приняли, оно закончилось; серверы показаны, нарисованы, и один перезагружен.
demo-stopping = Останавливаю…
demo-failed = Демонстрация не удалась: { $reason }
demo-warnings = Последние предупреждения из журнала:
