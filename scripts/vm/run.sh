#!/usr/bin/env bash
# run.sh VMLINUZ INITRD LOG [SECONDS [ATTACKS]]: boots a guest and waits until it has switched itself off. What the
# kernel says goes to LOG.kernel, what the guest says to LOG. ATTACKS, with commas between them, are the only ones that
# it tries. GUEST_APPEND goes to the kernel's command line. Fails when the guest did not come to its end in time.
set -euo pipefail

kernel=$1 initrd=$2 log=$3 limit=${4:-900} attacks=${5:-}
# What the kernel was built for.
if [[ $kernel == *-arm64* ]]; then
    machine=(qemu-system-aarch64 -machine "virt,gic-version=3" -cpu "max,pauth-impdef=on") console=ttyAMA0
    # This machine has one serial port.
    second=(-device virtio-serial-pci -chardev "file,id=told,path=$log" -device "virtconsole,chardev=told")
    tell=hvc0
else
    machine=(qemu-system-x86_64 -machine q35 -cpu max) console=ttyS0
    second=(-serial "file:$log") tell=ttyS1
fi
: >"$log"

# The kernel's own modules come as a second archive behind the first.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/modules"
cp "$(dirname "$kernel")"/*.ko "$work/root/modules/"
(cd "$work/root" && find modules | cpio --quiet -o -H newc | gzip -1) | cat "$initrd" - >"$work/initrd"

# Emulation everywhere: nested virtualisation is not to be had on build machines. The two processors take turns in one thread:
# with a thread each, QEMU 7.2 once ran a breakpoint of the kernel's patching of itself that was gone already, and the guest
# panicked ("Oops: int3"). Two guests at a time keep two cores busy anyway.
timeout --foreground "$limit" "${machine[@]}" -accel tcg,thread=single -smp 2 -m 2048 \
    -nodefaults -no-user-config -display none -no-reboot \
    -kernel "$kernel" -initrd "$work/initrd" \
    -append "console=$console panic=-1 quiet guest.tell=$tell guest.limit=$((limit / 2))${attacks:+ guest.attacks=$attacks}${GUEST_APPEND:+ $GUEST_APPEND}" \
    -serial "file:$log.kernel" "${second[@]}" -monitor none </dev/null || true
grep -q '^## done' "$log"
