#!/bin/sh
# The two processes by name, everything else to the command line.
set -eu
case "${1:-}" in
  bot | worker) exec node "/app/src/$1.ts" ;;
  *) exec node /app/src/cli.ts "$@" ;;
esac
