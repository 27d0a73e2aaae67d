# Automatic recovery: servers that do not answer.

recovery-sign-silence = { $server } gives no data since { $since }: { $reason }
recovery-sign-exporter = { $server }, which is measured on it, gives no data since { $since }: { $reason }
recovery-sign-incident = { $title } (since { $since })
recovery-obstacle-work = Something of Vakhta is under way there: it is not rebooted by itself.
recovery-obstacle-alive = A process of Vakhta on it is alive, or it carries the only worker: it is not rebooted by itself.
recovery-obstacle-recent = It was started or stopped a short while ago: it is not rebooted by itself again so soon (recovery.every).
recovery-obstacle-turn = Another server has the turn: it is not rebooted by itself now.
recovery-obstacle-answers = It answers again: it is not rebooted.
