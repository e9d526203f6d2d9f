#!/usr/bin/env bash
# The services as nspawn.sh judges them, in a machine of their own: a Debian with systemd as process 1 on a Debian kernel, in QEMU,
# where nothing of this machine's kernel, limits or security modules is borrowed. `guest.sh [--nixos|--day] [SERIES]`, the units of
# the NixOS module if told so, on the kernel 6.12 unless another series is named (scripts/vm/kernel.sh). With --day a boot and a day
# of ordinary work, after a day with an earlier version (day-guest.sh).
#
# Root only (it makes a file system of what is root's); some minutes: everything is emulated.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=scripts/tests/debian.sh
. scripts/tests/debian.sh

nixos='' judges=(/given/nspawn-guest.sh)
case ${1:-} in
--nixos) nixos=--nixos && shift ;;
--day) judges=("/given/day-guest.sh yesterday" "/given/day-guest.sh today") && shift ;;
esac
series=${1:-6.12}
LIMIT=${LIMIT:-1500}
[ "$(id -u)" -eq 0 ] || die "root is needed: making a file system"
for tool in qemu-system-x86_64 mkfs.ext4 mmdebstrap busybox cpio; do
    command -v "$tool" >/dev/null || die "$tool is missing: scripts/setup.sh services installs it"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$(debian_root)
cp -a "$root" "$work/root"
give "$work/root/given" $nixos
cat >"$work/root/etc/systemd/system/judge.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
Environment=PATIENCE=10
# What to do at which boot is said on the kernel's command line.
ExecStart=/bin/bash -c '/bin/bash $$(sed "s/.*judge=//; s/,/ /g" /proc/cmdline); echo "## ended $$?"; sync; systemctl poweroff --force --force'
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants"
ln -s /etc/systemd/system/judge.service "$work/root/etc/systemd/system/multi-user.target.wants/judge.service"
truncate -s 1500M "$work/root.ext4"
mkfs.ext4 -q -F -d "$work/root" "$work/root.ext4"
rm -rf "$work/root"

kernel=$(scripts/vm/kernel.sh "$series" "${XDG_CACHE_HOME:-$HOME/.cache}/sentinel/kernels")
mkdir -p "$work/initrd/bin" "$work/initrd/modules" "$work/initrd"/{proc,sys,dev,root}
cp "$(command -v busybox)" "$work/initrd/bin/busybox"
cp "$(dirname "$kernel")"/*.ko "$work/initrd/modules/"
[ -e "$work/initrd/modules/virtio_blk.ko" ] || die "$(dirname "$kernel") has no virtio_blk.ko: remove it, it is fetched anew"
cat >"$work/initrd/init" <<'INIT'
#!/bin/busybox sh
# Finds the disk and leaves the machine to systemd.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox insmod /modules/virtio_blk.ko
while [ ! -b /dev/vda ]; do /bin/busybox usleep 20000; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
INIT
chmod 755 "$work/initrd/init"
(cd "$work/initrd" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initrd.gz"

started=$SECONDS
for judge in "${judges[@]}"; do
    : >"$work/said"
    timeout --foreground "$LIMIT" qemu-system-x86_64 -machine q35 -accel tcg,thread=single -cpu max -smp 2 -m 2048 \
        -nodefaults -no-user-config -display none -no-reboot -kernel "$kernel" -initrd "$work/initrd.gz" \
        -append "console=ttyS0 panic=-1 quiet rw systemd.show_status=0 judge=${judge// /,}" \
        -drive "file=$work/root.ext4,format=raw,if=none,id=disk,cache=unsafe" -device virtio-blk-pci,drive=disk \
        -device virtio-rng-pci -serial "file:$work/kernel" -serial "file:$work/said" -monitor none </dev/null || true
    tr -d '\r' <"$work/said" | grep -v '^##' >&2 || true
    grep -q '^## ended 0' "$work/said" ||
        die "$judge does not hold in the guest with $(basename "$(dirname "$kernel")") after $((SECONDS - started)) s: $(tail -n 15 "$work/kernel")"
done
say "systemd in a guest with $(basename "$(dirname "$kernel")"): all holds, in $((SECONDS - started)) s."
