# Whoever has the servers, and what can fail there.

error-provider-network = provider { $provider }: { $server } can not be reached ({ $reason })
error-provider-timeout = provider { $provider }: { $server } does not answer in time
error-provider-garbage = provider { $provider }: { $server } answers with what can not be read (status { $status })
error-provider-token = provider { $provider }: { $server } refuses the token: it was revoked, has expired or is wrong; make a new one in the panel and put it into the configuration
error-provider-rate = provider { $provider }: { $server } says that these were too many requests; lower its rate if this stays
error-provider-unsent = provider { $provider }: nothing was sent, too much else was waiting for its turn
error-provider-edge = provider { $provider }: something in front of { $server } answers { $status } instead of it
error-provider-gone = provider { $provider }: { $server } has no such thing ("{ $reason }")
error-provider-failed = provider { $provider }: { $server } fails with { $status } ("{ $reason }")
error-provider-refused = provider { $provider }: { $server } refuses with { $status } ("{ $reason }")
error-provider-settings = { $what } is needed to turn automatic backups on

look-gone = the provider has no server { $id }: it was deleted, or belongs to another account
look-no-statistics = the provider has measured nothing of it since { $minutes } min
look-statistics-status = the provider's API does not give its measurements (status { $status })
look-statistics-silent = the provider's API does not give its measurements in time
look-statistics-garbage = the provider's API gives measurements of it that can not be read
error-rate-redis = Redis does not answer: nobody knows how many requests others send
