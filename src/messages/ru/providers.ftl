# У кого стоят серверы и что там может не получиться.

error-provider-network = провайдер { $provider }: { $server } недоступен ({ $reason })
error-provider-timeout = провайдер { $provider }: { $server } не отвечает вовремя
error-provider-garbage = провайдер { $provider }: ответ { $server } не удалось прочесть (код { $status })
error-provider-token = провайдер { $provider }: { $server } не принимает токен: он отозван, истёк или неверен; создайте новый в панели и впишите в конфигурацию
error-provider-rate = провайдер { $provider }: для { $server } запросов слишком много; если так будет и дальше, уменьшите rate
error-provider-unsent = провайдер { $provider }: запрос не отправлен – до него не дошла очередь
error-provider-edge = провайдер { $provider }: вместо { $server } отвечает что-то перед ним (код { $status })
error-provider-gone = провайдер { $provider }: на { $server } этого нет («{ $reason }»)
error-provider-failed = провайдер { $provider }: сбой на { $server }, код { $status } («{ $reason }»)
error-provider-refused = провайдер { $provider }: { $server } отказывает, код { $status } («{ $reason }»)
error-provider-settings = чтобы включить автоматические копии, нужно указать { $what }

look-gone = у провайдера нет сервера { $id }: он удалён или принадлежит другому аккаунту
look-no-statistics = провайдер ничего не измерял на нём уже { $minutes } мин
look-statistics-status = API провайдера не отдаёт его измерения (код { $status })
look-statistics-silent = API провайдера не отдаёт его измерения вовремя
look-statistics-garbage = API провайдера отдаёт его измерения в нечитаемом виде
error-rate-redis = Redis не отвечает: неизвестно, сколько запросов отправляют другие
