# What `npm run demo` prints.
demo-starting-servers = Starting a private Redis, a private PostgreSQL, an S3 server and a local Telegram…
demo-starting-data = Filling two sample databases, looking at servers as they were last week…
demo-starting-processes = Starting the bot and the worker…
demo-ready = Ready after { $seconds } s.
demo-guide =

    The chat:  { $url }

    Open it in a browser (a narrow window looks like a phone) and try:
      /backup         choose "shop", Confirm, watch the card
      /backup blog    the same, encrypted
      Cancel          while one runs
      /status         what is alive, how the backups stand
      /alerts         what is firing
      /stats          four servers of a made-up Timeweb Cloud, one with node_exporter, this machine
      /stats web-1 24h   one of them as a picture, with buttons
      /servers        addresses, action log, balance, managed databases
      /reboot web-2   choose, Confirm, watch it come back
      the switch      speak as an operator, a viewer, a stranger

    Send an alert as Alertmanager, Grafana or your own script would, press Acknowledge on its card, and send its end:

{ $firing }

{ $resolved }

    Have web-1 work too hard for ten minutes (/stats shows it in two minutes, the rule speaks four later), or hang:

{ $load }

{ $hang }

    A nightly job that tells of its own failure, instead of its sign of life:

{ $ping }

    Backups go to a local folder and to { $s3 }
    Source: { $database }
    Log:    { $log }

    Ctrl-C ends everything and leaves nothing behind.
demo-step-asked = ✓ asked: { $detail }
demo-step-confirmed = ✓ pressed: { $detail }
demo-step-done = ✓ the card says: { $detail }
demo-step-listed =
    ✓ listed from S3:
    { $detail }
demo-step-stored =
    ✓ read back, sizes and SHA-256 agree with the manifest:
    { $detail }
demo-step-readable = ✓ read as archives to their ends: { $detail }
demo-step-alerted = ✓ an alert comes in: { $detail }
demo-step-fired = ✓ its card: { $detail }
demo-step-acknowledged = ✓ pressed Acknowledge, the card says: { $detail }
demo-step-resolved = ✓ its end comes in, the same card says: { $detail }
demo-step-measured =
    ✓ /stats says:
    { $detail }
demo-step-drawn = ✓ /stats of one server is a picture: { $detail }
demo-step-rebooting = ✓ asked for and agreed to: { $detail }
demo-step-back =
    ✓ asked of the provider once, followed until it was back; the card says:
    { $detail }
demo-transcript = The chat:
demo-proven = All of it is true: asked, confirmed, done, listed, read back, read to the end; an alert came in, was acknowledged and has ended; servers were shown, drawn, and one was restarted.
demo-stopping = Stopping…
demo-failed = The demo failed: { $reason }
demo-warnings = The newest warnings of the log:
