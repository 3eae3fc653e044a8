#!/usr/bin/env bash
# Puts patroni-preflight into a directory, for pipelines: from a release, or built from a checkout.
#
#   ci/install.sh DIRECTORY
#
#   PREFLIGHT_VERSION   a release such as 0.1.0; without it the program is built from the checkout that this script lies in
#   PREFLIGHT_RELEASES  where releases lie: $PREFLIGHT_RELEASES/v0.1.0/patroni-preflight-x86_64-unknown-linux-gnu.tar.gz,
#                       with the SHA-256 beside it in a file of the same name and .sha256
#   PREFLIGHT_SHA256    the SHA-256 that the archive must have, when you would rather trust your own copy of it
#
# A program that is in the directory already is kept. Building needs cargo and libclang.
set -euo pipefail

die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 2
}

(($# == 1)) || die "usage: install.sh DIRECTORY"
bin=$1
[[ ! -x $bin/patroni-preflight ]] || exit 0
mkdir -p "$bin"

if [[ -z ${PREFLIGHT_VERSION:-} ]]; then
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    command -v cargo >/dev/null || die "no release was named in PREFLIGHT_VERSION, and there is no cargo to build with"
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    cargo install --locked --no-track --root "$root" --path "$here" --bin patroni-preflight
    mv "$root/bin/patroni-preflight" "$bin/"
    exit 0
fi

[[ -n ${PREFLIGHT_RELEASES:-} ]] || die "PREFLIGHT_RELEASES does not say where releases lie"
[[ $PREFLIGHT_VERSION =~ ^v?[0-9]+(\.[0-9]+)*([-+][0-9A-Za-z.-]+)?$ ]] || die "no version: $PREFLIGHT_VERSION"
case $(uname -sm) in
"Linux x86_64") target=x86_64-unknown-linux-gnu ;;
"Linux aarch64") target=aarch64-unknown-linux-gnu ;;
*) die "there are no releases for $(uname -sm)" ;;
esac
archive=patroni-preflight-$target.tar.gz
url=${PREFLIGHT_RELEASES%/}/v${PREFLIGHT_VERSION#v}/$archive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch() { curl --fail --silent --show-error --location --retry 3 --output "$work/$2" "$1" || die "cannot fetch $1"; }
fetch "$url" "$archive"
sum=${PREFLIGHT_SHA256:-}
if [[ -z $sum ]]; then
    fetch "$url.sha256" sum
    read -r sum _ <"$work/sum" || true
fi
sha256sum --check --status <<<"$sum  $work/$archive" || die "$url is not what its SHA-256 says"
tar -xzf "$work/$archive" -C "$work"
program=$(find "$work" -type f -name patroni-preflight -print -quit)
[[ -n $program ]] || die "$url holds no patroni-preflight"
install -m 755 "$program" "$bin/patroni-preflight"
