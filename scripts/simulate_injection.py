#!/usr/bin/env python3
"""Simulated process injection, all on this machine, all undone: what the rule injection_attempt must see.

    scripts/simulate_injection.py              each simulation; exit code 0 when all could be done
    scripts/simulate_injection.py --benign     their harmless twins, which must raise nothing

Watch with `sudo sentinel run --event ptrace,memfd_create` in another terminal. Other options go to
sentinel-simulate.
"""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
ATTACKS = [
    "injection-ptrace",
    "injection-write",
    "injection-memory-file",
    "injection-anonymous",
    "injection-library",
    "injection-protect",
]


def program() -> str:
    """The program sentinel-simulate, built when SENTINEL_SIMULATE does not name it."""
    named = os.environ.get("SENTINEL_SIMULATE")
    if named:
        return named
    manifest = str(TOP / "Cargo.toml")
    subprocess.run(["cargo", "build", "--quiet", "--manifest-path", manifest, "-p", "sentinel-simulate"], check=True)
    target = os.environ.get("CARGO_TARGET_DIR", str(TOP / "target"))
    return os.path.join(target, "debug", "sentinel-simulate")


def main() -> int:
    """Runs them all, also when one fails."""
    simulate = program()
    codes = [subprocess.run([simulate, "run", attack, *sys.argv[1:]], check=False).returncode for attack in ATTACKS]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
