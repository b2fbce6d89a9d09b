#!/usr/bin/env bash
# Runs the browser tests (tests/browser) against the built server, on a free port and with a database of its own:
#
#   scripts/test-browser.sh           after `make build` and `scripts/setup.sh test`
#   scripts/test-browser.sh --find    prints the Chrome or Chromium that is used
set -euo pipefail
cd "$(dirname "$0")/.."

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

CHROMIUM=$(find_chrome)
export CHROMIUM
if [[ ${1:-} == --find ]]; then
  echo "$CHROMIUM"
  exit
fi
exec scripts/with-server.sh npm test --prefix tests/browser
