# The image of the bot, the worker and the command line:
#   docker build -t vakhta .
#   docker run --rm vakhta bot | worker | backups | doctor | ... | --help
# There is no docker and no kubectl in it: a source with `via:` wants a worker that runs beside them, on the host itself.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
# A dump wants tools of the server's own major (or a newer one), and Debian has a single one: hence the PostgreSQL
# project's packages, side by side in /usr/lib/postgresql/<major>. A major that the project has retired is left out, with
# a line in the log of the build: newer tools dump its servers. The servers are for private test-restores and so are
# Redis's: they are started for one and removed after it, with no network. Nothing of them runs by itself.
ARG POSTGRES_MAJORS="13 14 15 16 17 18"
RUN set -eu; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates curl tini zstd; \
    install -d /usr/share/postgresql-common/pgdg; \
    curl -fsSo /usr/share/postgresql-common/pgdg/apt.postgresql.org.asc https://www.postgresql.org/media/keys/ACCC4CF8.asc; \
    echo "deb [signed-by=/usr/share/postgresql-common/pgdg/apt.postgresql.org.asc] https://apt.postgresql.org/pub/repos/apt bookworm-pgdg main" \
      > /etc/apt/sources.list.d/pgdg.list; \
    apt-get update; \
    apt-get install -y --no-install-recommends postgresql-common redis-server redis-tools; \
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf; \
    majors=""; \
    for major in $POSTGRES_MAJORS; do \
      if apt-cache show "postgresql-$major" > /dev/null 2>&1; \
      then majors="$majors postgresql-client-$major postgresql-$major"; \
      else echo "postgresql-$major is not offered any more: left out" >&2; fi; \
    done; \
    test -n "$majors"; \
    apt-get install -y --no-install-recommends $majors; \
    apt-get purge -y --auto-remove curl; \
    rm -rf /var/lib/apt/lists/*

ENV NODE_ENV=production \
    VAKHTA_CONFIG=/etc/vakhta/vakhta.yaml
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY jobs jobs
COPY src src
COPY deploy/entrypoint.sh deploy/healthcheck.mjs deploy/warm-up.mjs deploy/
# Local copies of backups: mount a volume here. The cache belongs to the user of the processes: Node keeps one per user id.
RUN install -d -o node -g node -m 0700 /var/backups/vakhta && install -d -o node -g node .compile-cache
USER node
# Compiled code of both processes, made once here: they start faster and without the compiler in their memory.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
# The entry points themselves end with 78 at once, as there is no configuration here.
RUN node deploy/warm-up.mjs && for name in bot worker; do node src/$name.ts 2> /dev/null || test $? = 78; done
EXPOSE 8080 8081
# The bot's port unless HEALTH_URL says otherwise; commands that end by themselves are over before the first check.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["node", "deploy/healthcheck.mjs"]
ENTRYPOINT ["tini", "--", "/app/deploy/entrypoint.sh"]
CMD ["--help"]
