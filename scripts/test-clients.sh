#!/usr/bin/env bash
# Runs the suites of GraphQL clients (tests/clients) against the built server, with a database of its own:
#
#   scripts/test-clients.sh    after `make build` and `scripts/setup.sh test`
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ${1:-} != --with-server ]]; then
  exec scripts/with-server.sh "$0" --with-server
fi
cache="${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/sentio"
npm test --prefix tests/clients
cd tests/clients/python
"$cache/clients/bin/python" -m unittest --verbose test_clients test_execution test_validation test_refusals
