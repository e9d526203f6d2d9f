#!/usr/bin/env bash
# Boots a Debian with systemd in a container (systemd-nspawn) on this kernel, installs the release programs there – the
# package of target/debian/ when it was made, else the files themselves – and lets nspawn-guest.sh judge the services. With
# --nixos the services are those that the NixOS module renders, as far as that goes without NixOS: its units with the paths
# of this Debian, and its configuration.
#
# Root only. The system's root is made once (a minute, 250 MB) and kept in a cache; a run takes about 20 s.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=scripts/tests/debian.sh
. scripts/tests/debian.sh

case ${1:-} in
"" | --nixos) ;;
*)
    printf "usage: nspawn.sh [--nixos], not '%s'\n" "$1" >&2
    exit 2
    ;;
esac
[ "$(id -u)" -eq 0 ] || die "root is needed: booting a container and loading BPF programs"
for tool in systemd-nspawn mmdebstrap nsenter; do
    command -v "$tool" >/dev/null || die "$tool is missing: apt-get install systemd-container mmdebstrap util-linux"
done
scripts/mounts.sh
root=$(debian_root)

work=$(mktemp -d)
nspawn=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    if [ -n "$nspawn" ]; then
        kill "$nspawn" 2>/dev/null || true
        wait "$nspawn" 2>/dev/null || true
    fi
    umount "$work/bpf" 2>/dev/null || true
    rm -rf "$work"
    # nspawn leaves its control groups behind.
    rmdir /sys/fs/cgroup/{,unified/}{payload,supervisor} 2>/dev/null || true
}
trap cleanup EXIT

# As systemd mounts it at boot, and of this container alone.
mkdir "$work/bpf"
mount -t bpf -o mode=700 bpf "$work/bpf"

# Read only.
give "$work/given" "$@"

started=$(date +%s%N)
systemd-nspawn --quiet --directory="$root" --volatile=overlay --register=no --keep-unit --capability=all \
    --system-call-filter="bpf perf_event_open" --bind=/sys/kernel/tracing --bind="$work/bpf:/sys/fs/bpf" \
    --bind=/sys/kernel/security --bind-ro="$work/given:/given" --boot --console=read-only \
    </dev/null >"$work/console.txt" 2>&1 &
nspawn=$!

inside() { nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd "$@"; }
leader=
booted=no
deadline=$((SECONDS + 60))
while [ $SECONDS -lt $deadline ]; do
    leader=$(pgrep -P "$nspawn" | head -n 1 || true)
    state=$([ -z "$leader" ] || inside /bin/systemctl is-system-running 2>/dev/null || true)
    case $state in running | degraded)
        booted=yes
        break
        ;;
    esac
    kill -0 "$nspawn" 2>/dev/null || break
    sleep 0.2
done
[ "$booted" = yes ] || die "the container did not boot within 60 s: $(tail -n 20 "$work/console.txt")"
say "Booted in $((($(date +%s%N) - started) / 1000000)) ms."

inside /bin/bash /given/nspawn-guest.sh
say "systemd: all holds."
