#!/usr/bin/env bash
# Writes what is made from the Nix side: the unit files of dist/systemd/ (from nixos-module/units.nix) and
# docs/reference/nixos-options.md (from the module). Needs nix in the PATH; --check compares only.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

mode=${1:-write}
case $mode in
write | --check) ;;
*)
    printf "usage: render-nix.sh [--check], not '%s'\n" "$mode" >&2
    exit 2
    ;;
esac
command -v nix-instantiate >/dev/null || PATH=$(scripts/get-nix.sh):$PATH

evaluate() { # evaluate FILE: its value as JSON; what nix says is shown when it fails
    local said
    said=$(mktemp)
    if ! nix-instantiate --eval --strict --json "$1" 2>"$said"; then
        cat "$said" >&2
        rm -f "$said"
        return 1
    fi
    rm -f "$said"
}
units=$(evaluate dist/render.nix)
# In a store of its own: the options name packages, and naming one makes a derivation of it.
store=$(mktemp -d)
trap 'chmod -R u+w "$store"; rm -rf "$store"' EXIT
options=$(NIX_STORE_DIR=$store/store NIX_STATE_DIR=$store/state NIX_LOG_DIR=$store/log evaluate nix/tests/module.nix)
UNITS=$units OPTIONS=$options MODE=$mode python3 - <<'PYTHON'
import json, os, pathlib, sys

UNITS = pathlib.Path("dist/systemd")
files = {UNITS / name: text for name, text in json.loads(os.environ["UNITS"]).items()}


def cell(text):
    return text.replace("|", "\\|")


rows = "\n".join(
    f"| `{one['name']}` | {cell(one['type'])} | `{cell(one['default'])}` | {cell(one['description'])} |"
    for one in json.loads(os.environ["OPTIONS"])["options"]
)
files[pathlib.Path("docs/reference/nixos-options.md")] = f"""# Options of the NixOS module

Written by `scripts/render-nix.sh` from `nixos-module/`; do not edit. A key of `settings` whose default is `null` has the
default of the program, which its own reference tells: [agent](config.md), [detector](detector-config.md),
[dashboard](dashboard-config.md). Keys that are not listed here are passed on as they are.

| option | type | default | meaning |
|---|---|---|---|
{rows}
"""
stale = [str(file) for file in UNITS.glob("*.service") if file not in files]
for file, text in files.items():
    if os.environ["MODE"] == "write":
        file.write_text(text)
    elif not file.exists() or file.read_text() != text:
        stale.append(str(file))
if stale:
    sys.exit("error: stale: " + " ".join(stale) + ": run scripts/render-nix.sh")
PYTHON
