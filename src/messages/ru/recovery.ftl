# Автоматическое восстановление: серверы, которые не отвечают.

recovery-sign-silence = { $server }: нет данных с { $since }: { $reason }
recovery-sign-exporter = { $server }, он измеряется на этом же сервере: нет данных с { $since }: { $reason }
recovery-sign-incident = { $title } (с { $since })
recovery-obstacle-work = Вахта там что-то делает: сам по себе он не перезагружается.
recovery-obstacle-alive = Процесс Вахты на нём жив, или на нём единственный воркер: сам по себе он не перезагружается.
recovery-obstacle-recent = Его недавно включали или выключали: сам по себе он так скоро снова не перезагружается (recovery.every).
recovery-obstacle-turn = Очередь другого сервера: сам по себе он сейчас не перезагружается.
recovery-obstacle-answers = Он снова отвечает: перезагрузка не нужна.
