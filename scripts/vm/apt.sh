#!/usr/bin/env bash
# apt.sh DIR ARCH SUITE...: makes a private apt configuration in DIR, for packages of ARCH in these suites of Debian, on
# the mirror that this machine's apt is set up with. Nothing is installed. Used by APT_CONFIG=DIR/apt.conf.
set -euo pipefail

root=$(mkdir -p "${1:?"usage: apt.sh DIR ARCH SUITE..."}" && cd "$1" && pwd)
arch=$2
suites=("${@:3}")
mkdir -p "$root"/etc/apt/{apt.conf.d,preferences.d} "$root"/var/lib/apt/lists/partial \
    "$root"/var/cache/apt/archives/partial "$root"/var/lib/dpkg
: >"$root/var/lib/dpkg/status"

# Security updates have a mirror of their own, and suites of their own there.
apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' | sort -u | while read -r mirror; do
    for suite in "${suites[@]}"; do
        case $mirror:$suite in
        *security*:*-security) ;;
        *security*:* | *:*-security) continue ;;
        esac
        printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite"
    done
done | sort -u >"$root/etc/apt/sources.list"
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
# An index may be missing (not every suite is in every place); whoever looks for a package tells whether that matters.
APT_CONFIG=$root/apt.conf apt-get -qq update >/dev/null 2>&1 || true
