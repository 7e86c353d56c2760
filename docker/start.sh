#!/bin/sh
# Brings the collection up to date, then serves it: what an image of persrv starts with.
#
#   PERSRV_RECIPE      the collection; one that is built already takes a moment
#   PERSRV_ADMIN_KEY   a key for everything, since the service listens for others
#   PERSRV_BIND        address to listen at, default 0.0.0.0
#   PERSRV_PORT        port to listen at, default 8000
#   PERSRV_WORKERS     processes; more than one needs an index on a server
set -eu
persrv build -c "$PERSRV_RECIPE"
exec persrv serve -c "$PERSRV_RECIPE" --host "${PERSRV_BIND:-0.0.0.0}" --port "${PERSRV_PORT:-8000}" \
  --workers "${PERSRV_WORKERS:-1}" --no-open
