#!/usr/bin/env bash
# How cargo starts what it built (CARGO_TARGET_*_RUNNER): tests of files root_*.rs run as root,
# everything else as the user who called. (Cargo names the program after the file: root_x-HASH.)
# A program that hangs is ended, and so is what it leaves behind: a failed test's agent would hold the output open.
set -euo pipefail

name=$(basename "$1")
case $name in
root_*)
    if [ "$(id -u)" -ne 0 ]; then
        exec sudo -E -- "$0" "$@"
    fi
    ;;
esac

set -m # a process group of its own
timeout --kill-after=10 "${SENTINEL_TEST_LIMIT:-20m}" "$@" &
group=$!
trap 'kill -TERM -- "-$group"' INT TERM
status=0
wait "$group" || status=$?
if [ "$status" -eq 124 ]; then
    echo "test-runner: $name ran longer than ${SENTINEL_TEST_LIMIT:-20m} and was ended" >&2
fi
if kill -KILL -- "-$group" 2>/dev/null; then
    echo "test-runner: ended what $name had left running" >&2
fi
exit "$status"
