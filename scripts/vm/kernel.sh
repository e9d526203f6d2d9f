#!/usr/bin/env bash
# kernel.sh [arm64-]SERIES DIR: fetches Debian's newest cloud kernel of a series (5.10, 6.1, 6.12, 7) into DIR and prints
# the path of its vmlinuz; the modules that tests need lie beside it. Nothing is installed (apt.sh). What is in DIR
# already is used again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

name=${1:?"usage: kernel.sh [arm64-]SERIES DIR"}
series=${name#arm64-}
mkdir -p "${2:?"usage: kernel.sh SERIES DIR"}"
dir=$(cd "$2" && pwd)
arch=$(dpkg --print-architecture)
[ "$name" = "$series" ] || arch=arm64

# Suites that carry the series, and the package that holds the kernel itself: since 7.0 the image is a shell.
case $series in
5.10) suites=(bullseye-security bullseye) pattern="linux-image-5\.10\.0-[0-9]+-cloud-$arch" ;;
6.1) suites=(bookworm-security bookworm) pattern="linux-image-6\.1\.0-[0-9]+-cloud-$arch" ;;
6.12) suites=(trixie-security trixie) pattern="linux-image-6\.12\.[0-9]+\+deb13-cloud-$arch(-unsigned)?" ;;
7) suites=(trixie-backports sid) pattern="linux-binary-7\.[0-9.]+\+deb1[0-9]-cloud-$arch" ;;
*) die "no kernel of series '$series' is known here: 5.10, 6.1, 6.12 or 7" ;;
esac

shopt -s nullglob
found=("$dir/$name"/*/vmlinuz)
if [ "${#found[@]}" -gt 0 ]; then
    printf '%s\n' "${found[-1]}"
    exit 0
fi

private() { APT_CONFIG=$dir/apt-$name/apt.conf "$@"; }

say "Looking for the newest $series kernel of Debian for $arch (${suites[*]})."
"$here/apt.sh" "$dir/apt-$name" "$arch" "${suites[@]}"
package=$(private apt-cache pkgnames | grep -Ex "$pattern" | sort -V | tail -n 1) ||
    die "apt offers no package like $pattern in ${suites[*]}: is the mirror reachable?"
packages=("$package")
[[ $package != linux-binary-* ]] || packages+=("${package/binary/modules}")
say "Fetching ${packages[*]}."
work=$dir/fetch-$name
rm -rf "$work"
mkdir -p "$work/root"
(cd "$work" && private apt-get -qq download "${packages[@]}" >/dev/null) || die "apt could not download ${packages[*]}"
for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
images=("$work"/root/boot/vmlinuz-* "$work"/root/usr/lib/modules/*/vmlinuz)
[ "${#images[@]}" -gt 0 ] || die "$package holds no vmlinuz"
release=$dir/$name/${package#linux-*-}
mkdir -p "$release"
while read -r module; do
    case $module in
    *.xz) xz -dc "$module" >"$release/$(basename "$module" .xz)" ;;
    *) cp "$module" "$release/" ;;
    esac
done < <(find "$work/root" -name 'overlay.ko*' -o -name 'virtio_blk.ko*')
mv "${images[0]}" "$release/vmlinuz"
rm -rf "$work"
printf '%s\n' "$release/vmlinuz"
