# What `npm run demo` prints.
demo-starting-servers = Starting a private Redis, a private PostgreSQL, an S3 server and a local Telegram…
demo-starting-data = Filling two sample databases…
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
      the switch      speak as an operator, a viewer, a stranger

    Send an alert as Alertmanager, Grafana or your own script would, press Acknowledge on its card, and send its end:

{ $firing }

{ $resolved }

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
demo-transcript = The chat:
demo-proven = All of it is true: asked, confirmed, done, listed, read back, read to the end; an alert came in, was acknowledged and has ended.
demo-stopping = Stopping…
demo-failed = The demo failed: { $reason }
demo-warnings = The newest warnings of the log:
