#!/usr/bin/env bash
# How cargo starts what it built (CARGO_TARGET_*_RUNNER): tests of files root_*.rs run as root,
# everything else as the user who called. (Cargo names the program after the file: root_x-HASH.)
set -euo pipefail

name=$(basename "$1")
case $name in
root_*)
    if [ "$(id -u)" -ne 0 ]; then
        exec sudo -E -- "$@"
    fi
    ;;
esac
exec "$@"
