#!/usr/bin/env bash
# The Nix side, as far as it can be shown without nixpkgs: syntax, format, dead code, lock file, every output of the
# flake walked against the stand-in of nix/tests, claims about the module, units accepted by systemd, dist/ fresh.
#
# A nix in the PATH is used, else scripts/get-nix.sh unpacks one. Where neither is to be had this fails under CI=true
# and says loudly that nothing was judged elsewhere. nixfmt and deadnix are used when they are in the PATH
# (cargo install --locked nixfmt_rs@0.5.3 deadnix@1.3.1).
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

if ! directory=$(scripts/get-nix.sh); then
    [ -z "${CI:-}" ] || die "there is no nix"
    say "NOT JUDGED: the Nix side. There is no nix, and none could be unpacked."
    exit 0
fi
PATH=$directory:$PATH
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
# A store of its own: nothing of this machine is read or changed, and no daemon is asked.
export NIX_STORE_DIR=$work/store NIX_STATE_DIR=$work/state NIX_LOG_DIR=$work/log NIX_CONF_DIR=$work/conf
mkdir "$work/conf"
cat >"$work/conf/nix.conf" <<'CONF'
experimental-features = nix-command flakes
build-users-group =
flake-registry =
sandbox = false
substitute = false
CONF
# This one is obeyed on the command line only.
options=(--offline --option build-hook '')

mapfile -t files < <(find flake.nix nix nixos-module vm-tests dist -name '*.nix' | sort)

optional() { # optional COMMAND ARGUMENT...
    if command -v "$1" >/dev/null; then
        "$@"
    else
        say "Not checked: there is no $1 here."
    fi
}

say "Nix: syntax, format, dead code."
for file in "${files[@]}"; do nix-instantiate --parse "$file" >/dev/null; done
optional nixfmt --check "${files[@]}"
optional deadnix --fail "${files[@]}"

# What git knows plus what is new, as a flake: so that an uncommitted file counts, and what was built does not.
say "Nix: the flake and its lock agree; every output evaluates."
mkdir "$work/tree"
if ! { git ls-files -z --cached --others --exclude-standard 2>/dev/null || find . -type f -not -path '*/target/*' -print0; } |
    while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
    tar -cf - --null -T - | tar -xf - -C "$work/tree"; then
    die "cannot copy the tree"
fi
flake=path:$work/tree
nix flake metadata "${options[@]}" --no-update-lock-file "$flake" >/dev/null 2>"$work/log.txt" ||
    die "flake.lock does not fit flake.nix: $(cat "$work/log.txt")"
nix flake check --no-build --all-systems "${options[@]}" --no-write-lock-file \
    --override-input nixpkgs "path:$work/tree/nix/tests/nixpkgs" "$flake" >"$work/log.txt" 2>&1 ||
    die "nix flake check: $(grep -v '^warning' "$work/log.txt" | tail -n 30)"

say "Nix: what the module promises."
nix-instantiate --eval --strict --json nix/tests/module.nix >"$work/module.json" 2>"$work/log.txt" ||
    die "nix/tests/module.nix: $(cat "$work/log.txt")"
WORK=$work python3 - <<'PYTHON'
import json, os, pathlib, re, sys

work = pathlib.Path(os.environ["WORK"])
result = json.loads((work / "module.json").read_text())
problems = [f"the module breaks a claim: {name}" for name in result["failed"]]
if not result["count"]:
    problems.append("no claim was judged")

# A listed option is a key of the program.
references = {"agent": "config.md", "detector": "detector-config.md", "dashboard": "dashboard-config.md"}
for program, name in references.items():
    reference = pathlib.Path("docs/reference", name)
    if not reference.exists():
        problems.append(f"{reference} is missing")
        continue
    known = set(re.findall(r"^\| `([^`]+)` \|", reference.read_text(), re.MULTILINE))
    listed = set(result["keys"][program])
    problems += [f"services.sentinel.{program}.settings.{key}: no such key in {reference}"
                 for key in listed if not any(name == key or name.startswith(key + ".") for name in known)]
    # Secrets are credentials; what is in a list is written as it is.
    problems += [f"services.sentinel.{program}.settings.{key}: {reference} has it, the module does not"
                 for key in known - listed if key not in ("http.token", "nats.password") and "[]" not in key]

# For systemd to judge.
units = work / "units"
units.mkdir()
for name, text in result["units"].items():
    (units / f"sentinel-{name}.service").write_text(text)
sys.exit("\n".join("error: " + problem for problem in problems) or 0)
PYTHON
scripts/tests/units.sh "$work/units"

say "Nix: dist/systemd and docs/reference/nixos-options.md are fresh."
scripts/render-nix.sh --check

# The scripts of the VM tests are Python that nobody runs here: at least it must be Python.
say "Nix: the VM tests' scripts."
nix eval --json "${options[@]}" --no-write-lock-file --override-input nixpkgs "path:$work/tree/nix/tests/nixpkgs" \
    "$flake#checks.x86_64-linux" --apply 'builtins.mapAttrs (_: check: check.testScript or null)' \
    >"$work/scripts.json" 2>"$work/log.txt" || die "the VM tests' scripts: $(cat "$work/log.txt")"
python3 - "$work/scripts.json" <<'PYTHON'
import json, sys

scripts = {name: text for name, text in json.load(open(sys.argv[1])).items() if text}
assert scripts, "there are no VM tests"
for name, text in scripts.items():
    compile(text, name, "exec")
PYTHON
say "Nix: all holds."
