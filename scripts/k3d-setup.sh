#!/usr/bin/env bash
# Prepares a Debian or Ubuntu for scripts/k3d-smoke.sh: docker by apt; helm, kubectl and k3d are looked for and named
# with the way to install them where they are missing, since distributions do not have them.
#
#   sudo scripts/k3d-setup.sh [--install-ebpf] [--dry-run]
#
# --install-ebpf  also what building the BPF programs takes (clang, libelf, headers)
# --dry-run       says what would be done
# Running it again does nothing that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

ebpf=no
for argument in "$@"; do
    case $argument in
    --install-ebpf) ebpf=yes ;;
    --dry-run) DRY_RUN=1 ;;
    *)
        printf "usage: k3d-setup.sh [--install-ebpf] [--dry-run], not '%s'\n" "$argument" >&2
        exit 2
        ;;
    esac
done

have() { command -v "$1" >/dev/null; }
have apt-get || die "there is no apt here: install docker, k3d, helm and kubectl with this system's package manager"

packages=()
# As a pattern: Debian's package is called as a registry is, and no file of ours names one.
have docker || packages+=('^docker[.]io$')
have curl || packages+=(curl)
if [ "$ebpf" = yes ]; then
    for pair in clang:clang pkg-config:pkg-config make:make gcc:gcc; do
        have "${pair%%:*}" || packages+=("${pair##*:}")
    done
    # Headers of libraries are no commands.
    for package in libelf-dev zlib1g-dev libclang-dev; do
        dpkg -s "$package" >/dev/null 2>&1 || packages+=("$package")
    done
fi
if [ ${#packages[@]} -gt 0 ]; then
    say "Installing with apt: ${packages[*]}."
    change as_root apt-get -qq update
    change as_root apt-get -qq install -y --no-install-recommends "${packages[@]}"
else
    say "Nothing to install with apt."
fi

if ! dry_run && ! docker info >/dev/null 2>&1; then
    say "Docker does not answer: start it (systemctl start docker), or join the group docker and log in again."
fi
if ! docker buildx version >/dev/null 2>&1; then
    say "Warning: docker buildx is missing. scripts/k3d-smoke.sh then uses the images of scripts/images.sh or the legacy builder."
fi

missing=()
have k3d || missing+=("k3d (https://github.com/k3d-io/k3d/releases)")
have helm || missing+=("helm (https://github.com/helm/helm/releases)")
have kubectl || missing+=("kubectl (https://github.com/kubernetes/kubernetes/releases)")
if [ ${#missing[@]} -gt 0 ]; then
    say "Still missing; put each into the PATH:"
    printf '      %s\n' "${missing[@]}" >&2
    exit 1
fi
say "Ready: scripts/k3d-smoke.sh."
