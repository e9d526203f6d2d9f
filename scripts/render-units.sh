#!/usr/bin/env bash
# Writes the unit files of dist/systemd/ from nixos-module/units.nix. Needs nix in the PATH; --check compares only.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

mode=${1:-write}
case $mode in
write | --check) ;;
*)
    printf "usage: render-units.sh [--check], not '%s'\n" "$mode" >&2
    exit 2
    ;;
esac
command -v nix-instantiate >/dev/null || die "nix-instantiate is missing: install nix, or run scripts/tests/nix.sh, which gets one"

units=$(nix-instantiate --eval --strict --json dist/render.nix 2>/dev/null) ||
    nix-instantiate --eval --strict --json dist/render.nix # again, to show why
UNITS=$units MODE=$mode python3 - <<'PYTHON'
import json, os, pathlib, sys

directory = pathlib.Path("dist/systemd")
units = json.loads(os.environ["UNITS"])
stale = []
for name, text in units.items():
    file = directory / name
    if os.environ["MODE"] == "write":
        file.write_text(text)
    elif not file.exists() or file.read_text() != text:
        stale.append(str(file))
stale += [str(file) for file in directory.glob("*.service") if file.name not in units]
if stale:
    sys.exit("error: stale: " + " ".join(stale) + ": run scripts/render-units.sh")
PYTHON
