#!/usr/bin/env bash
# Looks the dependencies up in the RustSec database. Where the database cannot be fetched it says so: that is no pass and
# no failure. A found advisory fails.
set -uo pipefail
deny=${PREFLIGHT_TOOLS:-$(dirname "$0")/../target/tools}/cargo/bin/cargo-deny
out=$("$deny" --log-level error check advisories 2>&1)
status=$?
if ((status == 0)); then
    echo "advisories: none"
elif grep -q 'failed to fetch advisory database\|failed to load advisory database' <<<"$out"; then
    echo "advisories: NOT CHECKED, the RustSec database cannot be had here" >&2
else
    printf '%s\n' "$out" >&2
    exit "$status"
fi
