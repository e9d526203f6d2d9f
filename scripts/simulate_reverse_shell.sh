#!/usr/bin/env bash
# Simulated reverse shells, all on this machine, all undone: what the rule reverse_shell must see.
#
#   scripts/simulate_reverse_shell.sh              each of them, then exit code 0 when all could be done
#   scripts/simulate_reverse_shell.sh --benign     their harmless twins, which must raise nothing
#
# Watch with `sudo sentinel run --event connect` in another terminal. Other options go to sentinel-simulate.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
program=${SENTINEL_SIMULATE:-}
if [ -z "$program" ]; then
    cargo build --quiet --manifest-path "$top/Cargo.toml" -p sentinel-simulate
    program=${CARGO_TARGET_DIR:-$top/target}/debug/sentinel-simulate
fi

result=0
for attack in reverse-shell-port reverse-shell-dev-tcp reverse-shell-socket reverse-shell-python reverse-shell-tool shell-network; do
    "$program" run "$attack" "$@" || result=1
done
exit "$result"
