#!/usr/bin/env bash
# What systemd says of our units: nothing, and an exposure that is low enough. `units.sh [DIRECTORY]`, dist/systemd unless
# named. No service is started.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

directory=${1:-dist/systemd}
# Exposure in tenths, as systemd-analyze counts it: 0 is closed, 100 open.
declare -A most=([sentinel-agent]=40 [sentinel-detector]=20 [sentinel-dashboard]=20)

command -v systemd-analyze >/dev/null || die "systemd-analyze is missing: apt-get install systemd"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in "${!most[@]}"; do
    unit=$name.service
    [ -e "$directory/$unit" ] || die "$directory/$unit is missing"
    # Programs need not be installed where units are judged.
    sed -E 's,^(Exec[A-Za-z]*)=[^ ]+,\1=/bin/true,' "$directory/$unit" >"$work/$unit"
    # An unknown directive is only a warning to it.
    said=$(systemd-analyze verify --man=no "$work/$unit" 2>&1 | grep -F "$name" || true)
    [ -z "$said" ] || die "$directory/$unit: $said"
    systemd-analyze security --offline=true --threshold="${most[$name]}" --no-pager "$work/$unit" >"$work/log.txt" 2>&1 ||
        die "$directory/$unit is more exposed than ${most[$name]} tenths: $(grep -E '✗|→' "$work/log.txt")"
    say "$directory/$unit: $(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/exposure \1/p' "$work/log.txt")."
done
