#!/bin/busybox sh
# shellcheck shell=dash
# The first process of a guest (scripts/vm/initrd.sh): runs every program of /tests, one after the other, and tells
# how each ended, on the port that guest.tell= of the kernel's command line names. The host reads the lines that begin
# with "##".
/bin/busybox mkdir -p /bb
/bin/busybox --install -s /bb
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bb HOME=/root RUST_BACKTRACE=1
# All of it is emulated.
export PATIENCE=10

# A top of its own: the kernel's first file system can neither be unmounted nor moved.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
# Programs that were built below /tmp stay there.
mv /tmp /held && mkdir -m 1777 /tmp
mount -t tmpfs tmp /tmp
for held in /held/*; do [ ! -e "$held" ] || mv "$held" /tmp/; done
mount -t tmpfs tmp /run
mkdir -p /dev/pts /dev/shm /sys/fs/cgroup
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
/bb/ip link set lo up
for module in /modules/*.ko; do insmod "$module"; done
tell=$(sed -n 's/.*guest\.tell=\([a-zA-Z0-9]*\).*/\1/p' /proc/cmdline)
exec >"/dev/$tell" 2>&1 </dev/null

limit=$(sed -n 's/.*guest\.limit=\([0-9]*\).*/\1/p' /proc/cmdline)
attacks=$(sed -n 's/.*guest\.attacks=\([^ ]*\).*/\1/p' /proc/cmdline)
[ -z "$attacks" ] || export SENTINEL_ATTACKS="$attacks"
only=$(sed -n 's/.*guest\.only=\([^ ]*\).*/\1/p' /proc/cmdline)
echo "## kernel $(uname -r)"
echo "# lsm $(cat /sys/kernel/security/lsm), lockdown $(cat /sys/kernel/security/lockdown)"
ran=
# With every kind of event wanted, every hook is tried that this kernel has.
{
    echo rules:
    sentinel run --event '?' 2>&1 | sed -n 's/.*\[possible values: \(.*\)\]/\1/p' | tr -d ' ' | tr , '\n' |
        sed 's/.*/- {name: &, event: &}/'
} >/run/every.yaml
sentinel doctor --attached --forward /run/every.yaml 2>&1 | sed 's/^/# doctor /'
# First what is about all of it.
for test in /tests/root_doctor /tests/root_simulations /tests/*; do
    name=${test##*/}
    [ -e "$test" ] || continue
    case " $ran " in *" $name "*) continue ;; esac
    ran="$ran $name"
    [ -z "$only" ] || printf '%s\n' "${name#root_}" | grep -qxE "$only" || continue
    case $name in
    # They tell numbers, and names, that are kept.
    root_budget | root_doctor | root_simulations) timeout "${limit:-300}" "$test" --test-threads=1 --nocapture ;;
    *) timeout "${limit:-300}" "$test" --test-threads=1 ;;
    esac
    echo "## ended $name $?"
    echo "## took $name $(cut -d' ' -f1 /proc/uptime)"
done
echo "## done $(cut -d' ' -f1 /proc/uptime)"
poweroff -f
