#!/usr/bin/env bash
# Brings the program to the runner and writes its path as the output `binary`.
#
# A released binary is taken if `checksums.txt` knows its SHA-256 for this version and platform, and names the very sources
# of this action as those that it was built from: a later commit of the same version is built anew. Whoever asks for a
# version by the input gets that release, whatever the sources here are. Otherwise the program is built from the sources of
# this action. `--where` only prints the place, and names as outputs what a cache needs to keep a build: the `folder`, and a
# `key` that only the same sources, toolchain and platform have. A release has no key: it is fetched in less time than a
# cache takes. `--sources` prints the hash of the sources, which `packaging/pack` writes into `checksums.txt`.
#
# The step starts in the workspace, which may hold a stranger's files: a `rust-toolchain.toml` there can name the program
# that runs as `cargo`, a `.cargo/config.toml` the one that runs as `rustc`. So this script leaves the workspace first,
# says itself which toolchain builds, and starts other programs with the variables that they need and no others: no token
# and no secret of the job is among them. It reads nothing of the workspace, which is why the program itself can be the
# one place that decides whether a run is refused.
set -euo pipefail

action=${GITHUB_ACTION_PATH:?"is set by the runner"}
cd -- "$action"

sha256=(sha256sum)
command -v sha256sum >/dev/null || sha256=(shasum -a 256)

# What a program is built from, which tells builds apart: two commits may have one version.
sources() {
  find Cargo.toml Cargo.lock src -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 "${sha256[@]}" |
    "${sha256[@]}" | cut -c 1-32
}

if [[ ${1:-} == --sources ]]; then
  sources
  exit 0
fi

# The toolchain that the program is tested with. Without rustup it has no effect.
toolchain=1.95.0

own_version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
version=${REACHFORM_VERSION:-$own_version}
version=${version#v}

fail() {
  echo "::error title=reachform could not be installed::$1"
  exit 1
}

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+([-+.0-9A-Za-z]*)$ ]] ||
  fail 'the input `version` is not a version like `1.2.3`'

[[ ${REACHFORM_CACHE:-true} == true || ${REACHFORM_CACHE:-true} == false ]] ||
  fail 'the input `cache` may be `true` or `false`'

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-musl ;;
  Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  *) fail "there is no reachform for $(uname -s) on $(uname -m): use a Linux or macOS runner" ;;
esac

asset=reachform-$version-$target
known=.github/action/checksums.txt
expected=$(awk -v asset="$asset" '$2 == asset { print $1 }' "$known")
if [[ -z ${REACHFORM_VERSION:-} ]] && ! grep -qx "# sources of reachform-$version: $(sources)" "$known"; then
  expected=
fi

# The runner empties this folder before and after every job. A tool cache it keeps, so whatever an earlier job, of
# whomever, left there would be run by this one.
home=${RUNNER_TEMP:?"is set by the runner"}/reachform-install

if [[ -n $expected ]]; then
  root=$home/$version-$expected-$target
elif [[ $version == "$own_version" ]]; then
  root=$home/$version-built-$(sources)-$target
else
  fail "no checksum of reachform $version for $target is known here: pin the action at the commit of that release"
fi
binary=$root/bin/reachform

if [[ ${1:-} == --where ]]; then
  echo "$binary"
  key=
  [[ -n $expected ]] || key=reachform-$(basename "$root")-$toolchain-${ImageOS:-unknown}
  [[ -z ${GITHUB_OUTPUT:-} ]] || printf '%s\n' "folder=$root/bin" "key=$key" >>"$GITHUB_OUTPUT"
  exit 0
fi

# Starts a program with the variables that it needs to reach the network and to find its own files.
clean() {
  local name kept=()
  for name in PATH HOME LANG LC_ALL TMPDIR CARGO_HOME RUSTUP_HOME DEVELOPER_DIR SDKROOT SSL_CERT_FILE SSL_CERT_DIR \
    CURL_CA_BUNDLE HTTPS_PROXY HTTP_PROXY ALL_PROXY NO_PROXY https_proxy http_proxy all_proxy no_proxy; do
    [[ -z ${!name:-} ]] || kept+=("$name=${!name}")
  done
  env -i "${kept[@]}" "$@"
}

is_expected() {
  [[ -x $1 && $("${sha256[@]}" "$1" | cut -d ' ' -f 1) == "$expected" ]]
}

download() {
  local url="${GITHUB_SERVER_URL:-https://github.com}/$REACHFORM_REPOSITORY/releases/download/v$version/$asset" file
  file=$(mktemp "$root/bin/.download-XXXXXX")
  echo "Fetching $url"
  if ! clean curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --output "$file" "$url"; then
    rm -f "$file"
    return 1
  fi
  chmod 755 "$file"
  if ! is_expected "$file"; then
    rm -f "$file"
    fail "$url is not the file that this action knows: its SHA-256 is another one"
  fi
  mv -f "$file" "$binary"
}

build() {
  command -v cargo >/dev/null ||
    fail "there is no released binary for this version and platform, and no cargo to build one: install Rust first"
  echo "Building reachform $version from $action"
  local staging=$root/staging-$$
  clean env RUSTUP_TOOLCHAIN="$toolchain" \
    cargo install --locked --path "$action" --root "$staging" --no-track --target-dir "$home/target"
  mv -f "$staging/bin/reachform" "$binary"
  rm -rf "$staging"
}

mkdir -p "$home"
# A job in a container may have left a folder that the runner could not empty.
[[ -O $home && ! -L $home ]] || fail "$home was made by someone else: empty the runner's temporary folder"
mkdir -p "$root/bin"

if [[ -n $expected ]]; then
  if ! is_expected "$binary"; then
    if [[ -z ${REACHFORM_REPOSITORY:-} ]] || ! download; then
      [[ $version == "$own_version" ]] || fail "the release $version could not be fetched"
      echo "::warning title=reachform::the released binary could not be fetched, so it is built from the sources"
      root=$home/$version-built-$(sources)-$target
      binary=$root/bin/reachform
      mkdir -p "$root/bin"
      [[ -x $binary ]] || build
    fi
  fi
elif [[ ! -x $binary ]]; then
  build
fi

echo "binary=$binary" >>"${GITHUB_OUTPUT:?"is set by the runner"}"
