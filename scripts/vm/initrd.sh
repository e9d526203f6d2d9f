#!/usr/bin/env bash
# initrd.sh OUT [--tree DIR] [--at PROGRAM]... PROGRAM...: packs a guest: guest-init.sh, the PROGRAMs in /tests (those
# after --at where they are here: tests name them so), and of this machine what the programs call, with the libraries
# they need; with --tree all of DIR instead (another architecture's, see cross.sh). Everything is in memory: no disk.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

out=$(realpath -m "${1:?"usage: initrd.sh OUT [--tree DIR] [--at PROGRAM]... PROGRAM..."}")
shift
tree='' strip=objcopy
if [ "${1:-}" = --tree ]; then
    tree=$(realpath "$2") strip=aarch64-linux-gnu-objcopy
    shift 2
fi
stay=()
while [ "${1:-}" = --at ]; do
    stay+=("$(realpath -s "$2")")
    shift 2
done
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

chmod 755 "$root"
mkdir -p "$root"/{boot,dev,etc,proc,run,sys,tests,tmp,var/{lib,log,tmp},root,usr/bin,usr/sbin,usr/lib,usr/lib64}
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
# Unpacked packages have their own directories where systems have links.
if [ -n "$tree" ]; then
    tar -C "$tree" -cf - . | tar -C "$root" --keep-directory-symlink -xf -
fi

# A file with the links on the way to it, and its libraries.
add() {
    local file library target
    [ -z "$tree" ] || return 0 # it is in the tree
    for file in "$@"; do
        file=$(realpath -s "$file")
        while [ ! -e "$root$file" ]; do
            mkdir -p "$root$(dirname "$file")"
            if [ -L "$file" ]; then
                target=$(readlink "$file")
                ln -s "$target" "$root$file"
                [[ $target == /* ]] || target=$(dirname "$file")/$target
                file=$(realpath -ms "$target")
            else
                cp "$file" "$root$file"
            fi
        done
        while read -r library; do
            [ -e "$root$library" ] || add "$library"
        done < <(ldd "$file" 2>/dev/null | grep -oE '/[^ ]+' || true)
    done
}

# The tests name these by path.
add /bin/sh /bin/true /bin/sleep /bin/cat
[ -n "$tree" ] || for program in bash ip mount python3 rm umount unshare; do
    path=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$program") || die "$program is missing: scripts/setup.sh vm installs it"
    add "$path"
done
if [ -z "$tree" ]; then
    busybox=$(command -v busybox) || die "busybox is missing: scripts/setup.sh vm installs it"
    cp "$busybox" "$root/bin/busybox"
    python=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    mkdir -p "$root$python"
    tar -C "$python" --exclude=__pycache__ --exclude=test --exclude=tests --exclude=idlelib --exclude=ensurepip \
        --exclude='config-*' --exclude=lib2to3 --exclude=pydoc_data -cf - . | tar -C "$root$python" -xf -
    while read -r module; do add "$module"; done < <(find "$python" -name '_socket*.so' -o -name '_ctypes*.so' -o -name 'select*.so')
fi

# Debug information would be most of the guest's memory.
for program in "${stay[@]}"; do
    add "$program"
    mkdir -p "$root$(dirname "$program")"
    "$strip" --strip-debug "$program" "$root$program"
    ln -s "$program" "$root/usr/bin/$(basename "$program")"
done
for program in "$@"; do
    name=$(basename "$program")
    add "$program" # for its libraries
    rm -f "$root$(realpath -s "$program")"
    # Names of tests end in a hash.
    "$strip" --strip-debug "$program" "$root/tests/${name%-????????????????}"
done

printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:*:20000:0:99999:7:::\n' >"$root/etc/shadow"
chmod 600 "$root/etc/shadow"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
install -m 755 "$here/guest-init.sh" "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$out"
