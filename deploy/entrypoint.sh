#!/bin/sh
# The two processes by name, with a small heap for new objects; everything else to the command line.
set -eu
case "${1:-}" in
  bot | worker) exec node --max-semi-space-size=1 "/app/src/$1.ts" ;;
  *) exec node /app/src/cli.ts "$@" ;;
esac
