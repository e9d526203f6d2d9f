#!/usr/bin/env bash
# Boots a Debian with systemd in a container (systemd-nspawn) on this kernel, installs the release programs there – the
# package of target/debian/ when it was made, else the files themselves – and lets nspawn-guest.sh judge the services.
#
# Root only. The system's root is made once (a minute, 250 MB) and kept in a cache; a run takes about 20 s.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

SUITE=bookworm
INSTALLED=systemd,systemd-sysv,dbus,udev,procps,curl,jq,libelf1,zlib1g,init-system-helpers

[ "$(id -u)" -eq 0 ] || die "root is needed: booting a container and loading BPF programs"
for tool in systemd-nspawn mmdebstrap nsenter; do
    command -v "$tool" >/dev/null || die "$tool is missing: apt-get install systemd-container mmdebstrap util-linux"
done
programs=${CARGO_TARGET_DIR:-target}/release
[ -x "$programs/sentinel-agent" ] || die "$programs/sentinel-agent is missing: run make build"
scripts/mounts.sh

root=${XDG_CACHE_HOME:-$HOME/.cache}/sentinel/nspawn-$SUITE
if [ ! -e "$root/complete" ]; then
    say "Making $root."
    rm -rf "$root"
    mkdir -p "$(dirname "$root")"
    # shellcheck disable=SC2016 # apt's own placeholder
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -n 1)
    flock /var/lock/sentinel-setup.lock \
        mmdebstrap --quiet --variant=minbase --include=$INSTALLED $SUITE "$root" "$mirror" >/dev/null
    : >"$root/complete"
fi

work=$(mktemp -d)
mkdir "$work/given"
nspawn=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    if [ -n "$nspawn" ]; then
        kill "$nspawn" 2>/dev/null || true
        wait "$nspawn" 2>/dev/null || true
    fi
    rm -rf "$work"
    # nspawn leaves its control groups behind.
    rmdir /sys/fs/cgroup/{,unified/}{payload,supervisor} 2>/dev/null || true
}
trap cleanup EXIT

# What the container is given, read only.
for program in sentinel sentinel-agent sentinel-detector sentinel-dashboard; do
    [ ! -x "$programs/$program" ] || cp "$programs/$program" "$work/given/"
done
cp -r dist scripts/tests/nspawn-guest.sh "$work/given/"
for package in target/debian/sentinel_*.deb; do
    [ ! -e "$package" ] || cp "$package" "$work/given/sentinel.deb"
done

started=$(date +%s%N)
systemd-nspawn --quiet --directory="$root" --volatile=overlay --register=no --keep-unit --capability=all \
    --system-call-filter="bpf perf_event_open" --bind=/sys/kernel/tracing --bind=/sys/fs/bpf \
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
