#!/usr/bin/env bash
# kernel.sh SERIES DIR: fetches Debian's newest cloud kernel of a series (5.10, 6.1, 6.12, 7) into DIR and prints the
# path of its vmlinuz; the modules that tests need lie beside it. A private apt configuration is used, on the mirror that this machine's apt is set up with;
# nothing is installed. What is in DIR already is used again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

series=${1:?"usage: kernel.sh SERIES DIR"}
mkdir -p "${2:?"usage: kernel.sh SERIES DIR"}"
dir=$(cd "$2" && pwd)
arch=$(dpkg --print-architecture)

# Suites that carry the series, and the package that holds the kernel itself: since 7.0 the image is a shell.
case $series in
5.10) suites=(bullseye-security bullseye) pattern="linux-image-5\.10\.0-[0-9]+-cloud-$arch" ;;
6.1) suites=(bookworm-security bookworm) pattern="linux-image-6\.1\.0-[0-9]+-cloud-$arch" ;;
6.12) suites=(trixie-security trixie) pattern="linux-image-6\.12\.[0-9]+\+deb13-cloud-$arch(-unsigned)?" ;;
7) suites=(trixie-backports sid) pattern="linux-binary-7\.[0-9.]+\+deb1[0-9]-cloud-$arch" ;;
*) die "no kernel of series '$series' is known here: 5.10, 6.1, 6.12 or 7" ;;
esac

shopt -s nullglob
found=("$dir/$series"/*/vmlinuz)
if [ "${#found[@]}" -gt 0 ]; then
    printf '%s\n' "${found[-1]}"
    exit 0
fi

private() { APT_CONFIG=$dir/apt-$series/apt.conf "$@"; }

# Security updates have a mirror of their own, and suites of their own there.
sources() {
    local mirror suite
    apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' | sort -u | while read -r mirror; do
        for suite in "${suites[@]}"; do
            case $mirror:$suite in
            *security*:*-security) ;;
            *security*:* | *:*-security) continue ;;
            esac
            printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite"
        done
    done
}

configure() {
    local root=$dir/apt-$series
    mkdir -p "$root"/etc/apt/{apt.conf.d,preferences.d} "$root"/var/lib/apt/lists/partial \
        "$root"/var/cache/apt/archives/partial "$root"/var/lib/dpkg
    : >"$root/var/lib/dpkg/status"
    sources | sort -u >"$root/etc/apt/sources.list"
    cat >"$root/apt.conf" <<CONFIG
Dir "$root";
Dir::State::status "$root/var/lib/dpkg/status";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
Apt::Architecture "$arch";
Apt::Architectures { "$arch"; };
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "3";
APT::Sandbox::User "root";
CONFIG
}

say "Looking for the newest $series kernel of Debian (${suites[*]})."
configure
# An index may be missing (not every suite is in every place); the search below tells whether that matters.
private apt-get -qq update >/dev/null 2>&1 || true
package=$(private apt-cache pkgnames | grep -Ex "$pattern" | sort -V | tail -n 1) ||
    die "apt offers no package like $pattern in ${suites[*]}: is the mirror reachable?"
packages=("$package")
[[ $package != linux-binary-* ]] || packages+=("${package/binary/modules}")
say "Fetching ${packages[*]}."
work=$dir/fetch-$series
rm -rf "$work"
mkdir -p "$work/root"
(cd "$work" && private apt-get -qq download "${packages[@]}" >/dev/null) || die "apt could not download ${packages[*]}"
for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
images=("$work"/root/boot/vmlinuz-* "$work"/root/usr/lib/modules/*/vmlinuz)
[ "${#images[@]}" -gt 0 ] || die "$package holds no vmlinuz"
release=$dir/$series/${package#linux-*-}
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
