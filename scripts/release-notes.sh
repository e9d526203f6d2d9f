#!/usr/bin/env bash
# Prints what CHANGELOG.md says of a version: release-notes.sh VERSION. With --check before it: fails unless Cargo.toml, the
# chart and the changelog all have that version; prints nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
version=${1:?usage: release-notes.sh [--check] VERSION}

notes=$(awk -v head="## [$version]" '
    index($0, "## [") == 1 { on = index($0, head) == 1; next }
    on' CHANGELOG.md)
[ -n "${notes//[[:space:]]/}" ] || die "CHANGELOG.md has no section [$version]: rename Unreleased"
if [ "$check" = no ]; then
    printf '%s\n' "$notes"
    exit 0
fi
grep -qx "version = \"$version\"" Cargo.toml || die "Cargo.toml has another version than $version"
for line in "version: $version" "appVersion: \"$version\""; do
    grep -qx "$line" helm/sentinel/Chart.yaml || die "helm/sentinel/Chart.yaml lacks: $line"
done
