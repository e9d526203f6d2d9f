#!/usr/bin/env bash
# Mounts tracefs, bpffs and securityfs where they are missing. Needs root. The agent does the same
# itself; here it is for tests, which start at lower layers.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

mount_missing() { # mount_missing TYPE DIR NAME-IN-STAT
    if [ "$(stat -f -c %T "$2" 2>/dev/null)" = "$3" ]; then return 0; fi
    if [ ! -d "$2" ]; then
        say "This kernel has no $2 ($1 is not built in)."
        return 0
    fi
    say "Mounting $1 at $2."
    as_root mount -t "$1" "$1" "$2"
}

mount_missing tracefs /sys/kernel/tracing tracefs
mount_missing bpf /sys/fs/bpf bpf_fs
mount_missing securityfs /sys/kernel/security securityfs
