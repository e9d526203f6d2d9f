#!/usr/bin/env bash
# Makes the OCI images sentinel-agent, sentinel-detector and sentinel-dashboard without Nix, with the content that
# nix/images.nix gives them: the program, the libraries it links to, certificates, nothing else.
#
#   scripts/images.sh [--tag TAG] [--output DIR] [PROGRAM…]
#
# They end up in the local storage of buildah (podman sees them) as localhost/sentinel-PROGRAM:TAG; with --output also
# as DIR/sentinel-PROGRAM.tar, for `podman load`, `docker load`, `ctr images import` and `k3d image import`.
# SENTINEL_STORAGE_DRIVER chooses the storage driver, e.g. vfs where overlays cannot be mounted.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

tag=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
output=
names=()
while [ $# -gt 0 ]; do
    case $1 in
    --tag | --output)
        [ $# -gt 1 ] || die "$1 takes a value"
        if [ "$1" = --tag ]; then tag=$2; else output=$2; fi
        shift
        ;;
    agent | detector | dashboard) names+=("$1") ;;
    *)
        printf "usage: images.sh [--tag TAG] [--output DIR] [agent|detector|dashboard…], not '%s'\n" "$1" >&2
        exit 2
        ;;
    esac
    shift
done
[ ${#names[@]} -gt 0 ] || names=(agent detector dashboard)

command -v buildah >/dev/null || die "buildah is missing: apt-get install buildah"
[ "$(id -u)" -eq 0 ] || [ -n "${BUILDAH_ISOLATION:-}${_CONTAINERS_USERNS_CONFIGURED:-}" ] ||
    exec buildah unshare -- "$0" --tag "$tag" ${output:+--output "$output"} "${names[@]}"
programs=${CARGO_TARGET_DIR:-target}/release
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# The same content is the same image: times in it are fixed.
epoch=${SOURCE_DATE_EPOCH:-1}
driver=(--storage-driver "${SENTINEL_STORAGE_DRIVER:-overlay}")

# Copies a program and what its loader will look for, at the same places.
closure() { # closure PROGRAM ROOT NAME
    install -D "$1" "$2/bin/$3"
    local library
    # A static program has none: ldd says so and fails.
    { ldd "$1" 2>/dev/null || true; } | grep -oE '/[^ ]+' | while read -r library; do
        mkdir -p "$2$(dirname "$library")"
        cp -L "$library" "$2$library"
    done
}

build() { # build NAME TITLE USER PORT…
    local name=$1 title=$2 user=$3 container root port
    shift 3
    local program=$programs/sentinel-$name
    [ -x "$program" ] || die "$program is missing: run make build"
    root=$(mktemp -d)
    closure "$program" "$root" "sentinel-$name"
    if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
        install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    fi
    chmod 755 "$root"
    find "$root" -exec touch --no-dereference --date "@$epoch" {} +

    container=$(buildah "${driver[@]}" from scratch)
    buildah "${driver[@]}" copy --quiet --chown 0:0 "$container" "$root" / >/dev/null
    rm -rf "$root"
    local -a options=()
    for port in "$@"; do options+=(--port "$port/tcp"); done
    buildah "${driver[@]}" config --entrypoint "[\"/bin/sentinel-$name\"]" --user "$user" \
        --label org.opencontainers.image.title="$title" --label org.opencontainers.image.version="$version" \
        --label org.opencontainers.image.source=https://github.com/sentinel-security/sentinel \
        --label "org.opencontainers.image.licenses=Apache-2.0 AND GPL-2.0-only" \
        "${options[@]}" "$container"
    buildah "${driver[@]}" commit --quiet --rm --timestamp "$epoch" "$container" "localhost/sentinel-$name:$tag" >/dev/null
    if [ -n "$output" ]; then
        mkdir -p "$output"
        rm -f "$output/sentinel-$name.tar"
        buildah "${driver[@]}" push --quiet "localhost/sentinel-$name:$tag" \
            "docker-archive:$output/sentinel-$name.tar:localhost/sentinel-$name:$tag"
    fi
    say "Made localhost/sentinel-$name:$tag."
}

for name in "${names[@]}"; do
    case $name in
    # Capabilities of a container go to root's processes only; the chart gives few and takes the rest.
    agent) build agent "Sentinel agent" 0:0 9101 9102 ;;
    detector) build detector "Sentinel detector" 65532:65532 50051 8090 ;;
    dashboard) build dashboard "Sentinel dashboard" 65532:65532 8080 ;;
    esac
done
