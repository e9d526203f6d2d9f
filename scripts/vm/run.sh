#!/usr/bin/env bash
# run.sh VMLINUZ INITRD LOG [SECONDS [ATTACKS]]: boots a guest and waits until it has switched itself off. What the
# kernel says goes to LOG.kernel, what the guest says to LOG. ATTACKS, with commas between them, are the only ones that
# it tries. Fails when the guest did not come to its end in time.
set -euo pipefail

kernel=$1 initrd=$2 log=$3 limit=${4:-900} attacks=${5:-}
case $(uname -m) in
x86_64) machine=(qemu-system-x86_64 -machine q35) console=ttyS0 ;;
*)
    printf 'error: guests are x86_64 only, this machine is %s\n' "$(uname -m)" >&2
    exit 1
    ;;
esac
: >"$log"

# The kernel's own modules come as a second archive behind the first.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/modules"
cp "$(dirname "$kernel")"/*.ko "$work/root/modules/"
(cd "$work/root" && find modules | cpio --quiet -o -H newc | gzip -1) | cat "$initrd" - >"$work/initrd"

# Emulation everywhere: nested virtualisation is not to be had on build machines.
timeout --foreground "$limit" "${machine[@]}" -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
    -nodefaults -no-user-config -display none -no-reboot \
    -kernel "$kernel" -initrd "$work/initrd" \
    -append "console=$console panic=-1 quiet guest.limit=$((limit / 2))${attacks:+ guest.attacks=$attacks}" \
    -serial "file:$log.kernel" -serial "file:$log" -monitor none </dev/null || true
grep -q '^## done' "$log"
