#!/usr/bin/env bash
# Runs a command while the built server runs, on a free port, with the sample articles in a database of its own:
#
#   scripts/with-server.sh COMMAND…    with SERVER_URL set, and the program in SERVER_BINARY; after `make build`
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

readonly start_seconds=60
work='' server='' binary=''

fail() {
  echo "with-server: $*" >&2
  exit 1
}

# Settings of this shell or of a .env file must not lead the tests to somebody's data: the server starts in an empty
# folder with an empty environment.
start() {
  binary="${CARGO_TARGET_DIR:-$root/target}/debug/sentio"
  [[ -x $binary ]] || fail "$binary is missing: call 'make build' first"
  binary=$(realpath "$binary")
  work=$(mktemp -d)
  (
    cd "$work"
    exec env -i PATH="$PATH" HOME="$work" SENTIO_DATA_DIR="$work/data" SENTIO_MODEL_DIR="$root/models" \
      SENTIO_ORT_LIB="$root/lib/libonnxruntime.so" "$binary" serve --samples --port 0
  ) >"$work/stdout" 2>"$work/stderr" &
  server=$!
}

await_url() {
  local deadline=$((SECONDS + start_seconds)) url=''
  until [[ -n $url ]]; do
    kill -0 "$server" 2>/dev/null || fail "the server ended: $(tail -n 1 "$work/stderr")"
    ((SECONDS < deadline)) || fail "the server is not ready after $start_seconds seconds: $(tail -n 1 "$work/stderr")"
    sleep 0.1
    url=$(sed -n 's|^Sentio is ready: \(http://[^/ ]*\)/.*|\1|p' "$work/stdout")
  done
  echo "$url"
}

stop() {
  local status=$?
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  [[ -z $server ]] || wait "$server" || true
  if [[ $status -ne 0 && -n $work ]]; then
    echo "with-server: the end of the server's log:" >&2
    tail -n 20 "$work/stderr" >&2
  fi
  [[ -z $work ]] || rm -rf "$work"
}

[[ $# -gt 0 ]] || fail "name a command to run"
trap stop EXIT
start
SERVER_URL=$(await_url)
export SERVER_URL SERVER_BINARY=$binary
"$@"
