#!/usr/bin/env bash
# Brings the program to the runner and writes its path as the output `binary`.
#
# A released binary is taken where `checksums.txt` knows its SHA-256 for this version and platform; else the program is
# built from the sources of this action. What was brought here once is found again. `--where` only says the place.
set -euo pipefail

action=${GITHUB_ACTION_PATH:?"is set by the runner"}
cache=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:?"is set by the runner"}}
own_version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$action/Cargo.toml" | head -n 1)
version=${REACHFORM_VERSION:-$own_version}
version=${version#v}

fail() {
  echo "::error title=reachform could not be installed::$1"
  exit 1
}

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+([-+.0-9A-Za-z]*)$ ]] || fail 'the input `version` is no version, as `1.2.3`'

sha256=(sha256sum)
command -v sha256sum >/dev/null || sha256=(shasum -a 256)

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-musl ;;
  Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  *) fail "there is no reachform for $(uname -s) on $(uname -m): use a Linux or macOS runner" ;;
esac

asset=reachform-$version-$target
expected=$(awk -v asset="$asset" '$2 == asset { print $1 }' "$action/.github/action/checksums.txt")

# Built programs are told apart by what they were built from: two commits may have one version.
sources() {
  (cd "$action" && find Cargo.toml Cargo.lock src -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 "${sha256[@]}") |
    "${sha256[@]}" | cut -c 1-32
}

if [[ -n $expected ]]; then
  root=$cache/reachform/$version-$expected-$target
elif [[ $version == "$own_version" ]]; then
  root=$cache/reachform/$version-built-$(sources)-$target
else
  fail "no checksum of reachform $version for $target is known here: pin the action at the commit of that release"
fi
binary=$root/bin/reachform

is_expected() {
  [[ -x $1 && $("${sha256[@]}" "$1" | cut -d ' ' -f 1) == "$expected" ]]
}

download() {
  local url="${GITHUB_SERVER_URL:-https://github.com}/$REACHFORM_REPOSITORY/releases/download/v$version/$asset" file
  file=$(mktemp "$root/bin/.download-XXXXXX")
  echo "Fetching $url"
  if ! curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --output "$file" "$url"; then
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
  CARGO_TARGET_DIR=${RUNNER_TEMP:-$root}/reachform-target \
    cargo install --locked --path "$action" --root "$staging" --no-track
  mv -f "$staging/bin/reachform" "$binary"
  rm -rf "$staging"
}

if [[ ${1:-} == --where ]]; then
  echo "$binary"
  exit 0
fi

if [[ -n $expected ]]; then
  if ! is_expected "$binary"; then
    mkdir -p "$root/bin"
    if [[ -z ${REACHFORM_REPOSITORY:-} ]] || ! download; then
      [[ $version == "$own_version" ]] || fail "the release $version could not be fetched"
      echo "::warning title=reachform::the released binary could not be fetched, so it is built from the sources"
      root=$cache/reachform/$version-built-$(sources)-$target
      binary=$root/bin/reachform
      mkdir -p "$root/bin"
      [[ -x $binary ]] || build
    fi
  fi
elif [[ ! -x $binary ]]; then
  mkdir -p "$root/bin"
  build
fi

echo "binary=$binary" >>"${GITHUB_OUTPUT:?"is set by the runner"}"
