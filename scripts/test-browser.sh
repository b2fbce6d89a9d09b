#!/usr/bin/env bash
# Runs the browser tests (tests/browser) against the built server, on a free port and with a database of its own:
#
#   scripts/test-browser.sh           after `make build` and `scripts/setup.sh test`
#   scripts/test-browser.sh --find    prints the Chrome or Chromium that is used
set -euo pipefail
cd "$(dirname "$0")/.."

readonly start_seconds=60
work='' server=''

fail() {
  echo "test-browser: $*" >&2
  exit 1
}

find_chrome() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [[ -n $name ]] && command -v "$name" && return
  done
  fail "Chromium is missing: install it with 'apt-get install chromium' (Debian), or set CHROMIUM to the executable of a Chrome"
}

# Settings of this shell or of a .env file must not lead the tests to somebody's data: the server starts in an empty
# folder with an empty environment.
start() {
  local root=$PWD binary
  binary="${CARGO_TARGET_DIR:-target}/debug/sentio"
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
    url=$(sed -n 's|^Sentio is ready: \(http://[^ ]*\).*|\1|p' "$work/stdout")
  done
  echo "$url"
}

stop() {
  local status=$?
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  [[ -z $server ]] || wait "$server" || true
  if [[ $status -ne 0 && -n $work ]]; then
    echo "test-browser: the end of the server's log:" >&2
    tail -n 20 "$work/stderr" >&2
  fi
  [[ -z $work ]] || rm -rf "$work"
}

CHROMIUM=$(find_chrome)
export CHROMIUM
if [[ ${1:-} == --find ]]; then
  echo "$CHROMIUM"
  exit
fi
trap stop EXIT
start
SERVER_URL=$(await_url)
export SERVER_URL
npm test --prefix tests/browser
