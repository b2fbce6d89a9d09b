#!/usr/bin/env bash
# Fails when schema.graphql breaks clients of the last release, which is the newest tag vX.Y.Z that HEAD comes from.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! release=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null); then
  echo 'skipped: the comparison of schemas (there is no release yet)'
  exit
fi
git show "$release:schema.graphql" | node tests/clients/compare-schema.mjs "$release"
