#!/usr/bin/env bash
# Prints the directory of a nix that is new enough for the flake. One in the PATH is taken; else it is unpacked from a
# newer Debian suite, on the mirror that apt is set up with, into a cache. Nothing is installed. About 10 s, once.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

SUITE=trixie
# Debian 12 has 2.8; nixpkgs wants this.
OLDEST=2.18

new_enough() {
    local version
    version=$("$1" --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1) || return 1
    [ "$(printf '%s\n' "$OLDEST" "$version" | sort -V | head -n 1)" = "$OLDEST" ]
}

if command -v nix >/dev/null && new_enough nix; then
    dirname "$(command -v nix)"
    exit 0
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sentinel/nix-$SUITE
if [ -x "$cache/nix" ] && new_enough "$cache/nix"; then
    printf '%s\n' "$cache"
    exit 0
fi

command -v apt-get >/dev/null || die "nix $OLDEST or newer is missing, and there is no apt to unpack one: install nix"
[ "$(dpkg --print-architecture)" = amd64 ] || die "nix $OLDEST or newer is missing: install it (it is unpacked here on amd64 only)"
say "Unpacking nix from Debian $SUITE into $cache."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{etc,state/lists/partial,cache/archives/partial}
: >"$work/status"
# shellcheck disable=SC2016 # apt's own placeholder
apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -n 1 |
    sed "s|.*|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] & $SUITE main|" >"$work/etc/sources.list"
[ -s "$work/etc/sources.list" ] || die "apt names no mirror: run apt-get update first"
cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "$work/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Acquire::Check-Valid-Until "false";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Debug::NoLocking "true";
CONF
export APT_CONFIG=$work/apt.conf
apt-get -qq update
apt-get -qq -y --download-only install nix-bin >/dev/null
mkdir -p "$work/nix/root"
for package in "$work"/cache/archives/*.deb; do dpkg-deb -x "$package" "$work/nix/root"; done
# Its own loader and libraries: this system's may be older. The name it is called by chooses the tool.
cat >"$work/nix/nix" <<WRAPPER
#!/bin/sh
root=$cache/root
exec "\$root/usr/lib64/ld-linux-x86-64.so.2" --argv0 "\$(basename "\$0")" \\
    --library-path "\$root/usr/lib/x86_64-linux-gnu" "\$root/usr/bin/nix" "\$@"
WRAPPER
chmod +x "$work/nix/nix"
ln -s nix "$work/nix/nix-instantiate"
mkdir -p "$(dirname "$cache")"
rm -rf "$cache"
mv "$work/nix" "$cache"
new_enough "$cache/nix" || die "the nix of Debian $SUITE does not start: see $cache"
printf '%s\n' "$cache"
