#!/usr/bin/env bash
# Installs what is missing for building (`setup.sh build`), testing (`test`), guests with other kernels (`vm`), tests of
# the installed services (`services`) or of the dashboard (`browser`).
# Says nothing and touches no network when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# Installed where it can be had. C is formatted by exactly this version's clang-format (Makefile).
CLANG_PREFERRED=19

purpose=${1:-build}
case $purpose in
build | test | vm | services | browser) ;;
*)
    printf "usage: setup.sh [build|test|vm|services|browser], not '%s'\n" "$purpose" >&2
    exit 2
    ;;
esac

missing=()
need() { # need PACKAGE COMMAND...: the package is missing unless the command succeeds
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

have() { command -v "$1"; }

# A whole program compiles and links: compiler, linker and C headers are there.
cc_works() { printf 'int main(void) { return 0; }\n' | cc -x c -o /dev/null -; }
cc_links_static() { printf 'int main(void) { return 0; }\n' | cc -static -x c -o /dev/null -; }

# bindgen loads libclang at build time; it looks where llvm-config and the linker look.
libclang_found() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    local dir
    for dir in /usr/lib/llvm-*/lib /usr/lib /usr/lib64 /usr/lib/*-linux-gnu /usr/local/lib; do
        compgen -G "$dir/libclang.so*" || compgen -G "$dir/libclang-[0-9]*.so*" && return 0
    done
    return 1
}

check_build() {
    need gcc have gcc
    need libc6-dev cc_works
    need make have make
    need pkg-config have pkg-config
    need libelf-dev pkg-config --exists libelf
    need zlib1g-dev pkg-config --exists zlib
    need nodejs have node
    need npm have npm
    if [ -z "$(find_clang)" ]; then
        missing+=(clang)
    elif ! libclang_found >/dev/null; then
        missing+=(libclang)
    fi
}

check_test() {
    need "clang-format-$CLANG_PREFERRED" have "clang-format-$CLANG_PREFERRED"
    need libc6-dev cc_links_static
    need shellcheck have shellcheck
    need mandoc have mandoc
    need iproute2 have ip
    need util-linux have unshare
    need procps test -x /bin/kill
    need nats-server test -x /usr/sbin/nats-server
    need postgresql compgen -G "/usr/lib/postgresql/*/bin/postgres"
    need python3 test -x /usr/bin/python3
    need python3-venv /usr/bin/python3 -c 'import ensurepip'
    need systemd have systemd-analyze
    need python3-grpcio /usr/bin/python3 -c 'import grpc'
    need python3-protobuf /usr/bin/python3 -c 'import google.protobuf'
    need protobuf-compiler have protoc
    need protobuf-compiler-grpc have grpc_python_plugin
    # Real containers, from an image that the test makes.
    need podman have podman
    need runc have runc
    need conmon have conmon
    check_vm
}

check_vm() {
    need qemu-system-x86 have qemu-system-x86_64
    if [ "$purpose:$(uname -m)" = vm:x86_64 ]; then # make vm-test KERNEL=arm64-6.12
        need qemu-system-arm have qemu-system-aarch64
        need gcc-aarch64-linux-gnu have aarch64-linux-gnu-gcc
        need libc6-dev-arm64-cross test -e /usr/aarch64-linux-gnu/include/stdio.h
    fi
    need busybox-static have busybox
    need cpio have cpio
    need binutils have objcopy
    need xz-utils have xz
    need iproute2 have ip
    need python3 test -x /usr/bin/python3
}

check_services() {
    need systemd-container have systemd-nspawn
    need mmdebstrap have mmdebstrap
    need podman have podman
    need buildah have buildah
    need runc have runc
    need conmon have conmon
    need jq have jq
    need curl have curl
    need containerd have containerd
    need containernetworking-plugins test -x /usr/lib/cni/ptp
    need iptables have iptables
    need openssl have openssl
    need e2fsprogs test -x /sbin/mkfs.ext4
    need python3-yaml /usr/bin/python3 -c 'import yaml'
    need python3-venv /usr/bin/python3 -c 'import ensurepip'
    need python3-grpcio /usr/bin/python3 -c 'import grpc'
    need python3-protobuf /usr/bin/python3 -c 'import google.protobuf'
    need protobuf-compiler have protoc
    need protobuf-compiler-grpc have grpc_python_plugin
    check_vm
}

# The newest clang of this suite that is new enough, the preferred one first.
choose_clang() {
    local version
    for version in "$CLANG_PREFERRED" $(seq "$CLANG_NEWEST" -1 "$CLANG_OLDEST"); do
        if apt-cache show "clang-$version" >/dev/null 2>&1; then
            printf '%s\n' "$version"
            return 0
        fi
    done
    die "apt offers no clang between $CLANG_OLDEST and $CLANG_NEWEST: install clang $CLANG_OLDEST or newer and libclang by hand"
}

# One apt at a time: on some machines one run deletes the archives that another is unpacking.
apt() {
    as_root flock /var/lock/sentinel-setup.lock env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

install_missing() {
    if ! command -v apt-get >/dev/null; then
        die "missing: ${missing[*]} (Debian's names). There is no apt here: install them with this system's package manager"
    fi
    say "Missing: ${missing[*]}. Installing with apt$([ "$(id -u)" -eq 0 ] || printf ' through sudo')."
    apt update || say "apt-get update failed; trying with the package lists that are here."

    local package version
    local -a wanted=()
    for package in "${missing[@]}"; do
        case $package in
        clang)
            version=$(choose_clang)
            wanted+=("clang-$version" "libclang1-$version")
            ;;
        libclang)
            version=$(clang_major "$(find_clang)")
            wanted+=("libclang1-$version")
            ;;
        *) wanted+=("$package") ;;
        esac
    done
    apt install -y --no-install-recommends "${wanted[@]}" ||
        die "apt could not install ${wanted[*]}: see its message above"
}

check_cargo() {
    command -v cargo >/dev/null ||
        die "cargo is missing: install Rust with rustup (https://rustup.rs) and open a new shell"
    # In the toolchain file's directory rustup fetches the toolchain it names when that is missing.
    cargo --version >/dev/null || die "cargo does not start: see its message above"
    if [ "$purpose" = test ]; then
        for tool in clippy fmt; do
            cargo "$tool" --version >/dev/null 2>&1 && continue
            command -v rustup >/dev/null || die "cargo $tool is missing: install it with Rust"
            say "Adding clippy and rustfmt to the Rust toolchain."
            rustup component add clippy rustfmt
            break
        done
    fi
}

check_all() {
    missing=()
    check_build
    case $purpose in
    test) check_test ;;
    vm) check_vm ;;
    services) check_services ;;
    browser) need chromium have chromium ;;
    esac
}

check_cargo
check_all
[ "${#missing[@]}" -eq 0 ] && exit 0
install_missing
check_all
[ "${#missing[@]}" -eq 0 ] || die "still missing after the installation: ${missing[*]}"
say "Everything needed is here."
