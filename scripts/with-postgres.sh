#!/usr/bin/env bash
# Runs a command beside a private PostgreSQL, which is removed again when the command ends:
#
#   scripts/with-postgres.sh COMMAND…    the command finds the server's superuser URL in TEST_POSTGRES_URL
#   scripts/with-postgres.sh --find      prints the folder of the server programs
set -euo pipefail

readonly tries=20
cluster='' child='' interrupted=''

fail() {
  echo "with-postgres: $*" >&2
  exit 1
}

# pg_ctl from PATH, else Debian's newest.
find_programs() {
  local pg_ctl
  pg_ctl=$(command -v pg_ctl || compgen -G '/usr/lib/postgresql/*/bin/pg_ctl' | sort -V | tail -n 1) ||
    fail "PostgreSQL's server programs are missing: install them with 'apt-get install postgresql' (Debian) or 'brew install postgresql' (macOS)"
  dirname "$pg_ctl"
}

# The server refuses to run as root, so root runs it as somebody else.
as_owner() (
  cd "$cluster"
  if [[ $(id -u) -eq 0 ]]; then
    exec runuser -u "$owner" -- "$@"
  fi
  exec "$@"
)

start() {
  cluster=$(mktemp -d /tmp/sentio-postgres.XXXXXX)
  owner=$(id -un postgres 2>/dev/null || echo nobody)
  [[ $(id -u) -ne 0 ]] || chown "$owner" "$cluster"
  # Text is compared by ICU, as in many a production database: a sort that relies on byte order must say so.
  as_owner "$programs/initdb" --pgdata="$cluster/data" --username=postgres --auth=trust --encoding=UTF8 \
    --locale=C --locale-provider=icu --icu-locale=en-US --no-sync >"$cluster/log" 2>&1 ||
    fail "initdb failed (PostgreSQL 15 or newer is needed): $(tail -n 1 "$cluster/log")"
  # The server cannot choose a free port itself: try random ones, below those that systems hand out by themselves.
  local port
  for ((attempt = 0; attempt < tries; attempt++)); do
    port=$((20000 + RANDOM % 12000))
    as_owner "$programs/pg_ctl" start --silent --wait --pgdata="$cluster/data" --log="$cluster/data/log" \
      --options="-h 127.0.0.1 -p $port -k $cluster -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200" \
      >>"$cluster/log" 2>&1 || continue
    export TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
    return
  done
  fail "PostgreSQL does not start: $(tail -n 1 "$cluster/data/log")"
}

stop() {
  [[ -n $cluster ]] || return 0
  as_owner "$programs/pg_ctl" stop --silent --mode=immediate --pgdata="$cluster/data" >/dev/null 2>&1 || true
  rm -rf "$cluster"
}

# The command gets its own process group, so that a signal to this script ends all of it before the server goes.
run() {
  local status=0
  set -m
  "$@" &
  child=$!
  set +m
  wait "$child" || status=$?
  [[ -z $interrupted ]] || wait "$child" || status=$?
  return "$status"
}

interrupt() {
  interrupted=yes
  [[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null || true
}

[[ $# -gt 0 ]] || fail "which command? Call scripts/with-postgres.sh COMMAND…"
programs=$(find_programs)
if [[ $1 == --find ]]; then
  echo "$programs"
  exit
fi
trap stop EXIT
trap interrupt INT TERM HUP
start
[[ -z $interrupted ]] || exit 130
run "$@"
