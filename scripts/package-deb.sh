#!/usr/bin/env bash
# Makes target/debian/sentinel_VERSION_ARCH.deb of the release programs (`make build` first). Needs cargo-deb:
# cargo install --locked cargo-deb. Reproducible: times in it are those of the last commit.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

programs=${CARGO_TARGET_DIR:-target}/release
for program in sentinel sentinel-agent sentinel-detector sentinel-dashboard; do
    [ -x "$programs/$program" ] || die "$programs/$program is missing: run make build"
done
cargo deb --version >/dev/null 2>&1 || die "cargo-deb is missing: cargo install --locked cargo-deb"

rm -rf target/package
mkdir -p target/package/man
"$programs/sentinel" man target/package/man
"$programs/sentinel" completions bash >target/package/sentinel.bash

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || printf 1)}
export SOURCE_DATE_EPOCH
cargo deb --quiet --no-build --package sentinel-cli --output target/debian/ "$@"
for package in target/debian/sentinel_*.deb; do say "Made $package."; done
