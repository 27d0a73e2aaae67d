# Looks at hosts that tell of themselves: node_exporter, and the host of a worker.

look-exporter-unreachable = { $server } can not be reached ({ $reason })
look-exporter-timeout = { $server } does not answer in time
look-exporter-refused = { $server } refuses access (HTTP { $status }): look at auth of this server in the configuration
look-exporter-redirect = { $server } answers with HTTP { $status } and another address: put that one into the configuration
look-exporter-status = { $server } answers with HTTP { $status }: look at the path in url, /metrics is usual
look-exporter-garbage = { $server } answers with something that is not metrics
look-exporter-large = { $server } answers with more than { $most } MB
look-exporter-empty = { $server } gives metrics, but none of node_exporter
look-local-proc = { $path } can not be read ({ $reason })
look-local-elsewhere = this is host { $here }, the server is { $host }

config-problem-exporter-url = put user and password into auth, not into the address.
config-problem-exporter-auth = expected either username and password, or token.
config-problem-exporter-header = not possible as a header here: expected a name and a value in ASCII; for Authorization there is auth.
config-problem-exporter-timeout = expected 60s at most.
