#!/usr/bin/env bash
# cross.sh DIR ARGUMENT...: `cargo test --no-run ARGUMENT...` for arm64 on x86-64, with what it tells on standard output
# (JSON). rustup's compiler has no arm64 library everywhere; Debian's (rustc-web) has. It is taken from bookworm, with
# the libraries to link with, and a tree of programs for guests is unpacked as DIR/tree. Nothing is installed; what is
# in DIR already is used again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

dir=$(mkdir -p "${1:?"usage: cross.sh DIR ARGUMENT..."}" && cd "$1" && pwd)
shift
[ "$(uname -m)" = x86_64 ] || die "arm64 is built on x86-64 only, this machine is $(uname -m)"
command -v aarch64-linux-gnu-gcc >/dev/null || die "aarch64-linux-gnu-gcc is missing: scripts/setup.sh vm installs it"

fetch() { # fetch ARCH TREE PACKAGE...: unpacked below TREE
    local arch=$1 tree=$2 deb work=$dir/fetch
    shift 2
    rm -rf "$work" && mkdir -p "$work" "$dir/$tree"
    (cd "$work" && APT_CONFIG=$dir/apt-$arch/apt.conf apt-get -qq download "$@" >/dev/null) ||
        die "apt could not download $*: is the mirror reachable?"
    for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$dir/$tree"; done
    rm -rf "$work"
}

if [ ! -e "$dir/complete" ]; then
    say "Fetching a compiler for arm64 and programs for its guests."
    rm -rf "$dir"/{host,link,tree}
    for arch in amd64 arm64; do "$here/apt.sh" "$dir/apt-$arch" "$arch" bookworm bookworm-security; done
    private() { APT_CONFIG=$dir/apt-$1/apt.conf "${@:2}"; }
    # Libraries whose names carry their versions.
    needs() { private amd64 apt-cache depends "$1" | sed -nE "s/.*Depends: ($2)$/\1/p"; }
    std=$(needs libstd-rust-web-dev 'libstd-rust-web-[0-9.]+')
    llvm=$(needs "$std" 'libllvm[0-9]+')
    fetch amd64 host rustc-web libstd-rust-web-dev "$std" "$llvm"
    fetch arm64 host libstd-rust-web-dev
    fetch arm64 link libelf-dev zlib1g-dev
    # With all that they depend on.
    rm -rf "$dir/debs" && mkdir -p "$dir/debs/partial"
    private arm64 apt-get -qq -y --no-install-recommends --download-only -o Dir::Cache::archives="$dir/debs" install \
        bash busybox-static coreutils dash iproute2 libelf1 mount python3-minimal libpython3-stdlib util-linux >/dev/null
    mkdir -p "$dir/tree"
    for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/tree"; done
    rm -rf "$dir/debs" "$dir"/tree/usr/share/{doc,i18n,info,locale,man} "$dir"/tree/{dev,proc,run,sys,tmp}
    touch "$dir/complete"
fi

# Not sh: dash hands on no variable with a hyphen in its name, and CARGO_BIN_EXE_sentinel-agent has one.
# shellcheck disable=SC2016 # for that script's own shell
printf '#!/usr/bin/env bash\nLD_LIBRARY_PATH=%q exec %q "$@"\n' \
    "$dir/host/usr/lib/x86_64-linux-gnu:$dir/host/usr/lib" "$dir/host/usr/bin/rustc" >"$dir/rustc"
chmod 755 "$dir/rustc"
tree=$dir/tree
export RUSTC=$dir/rustc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-L native=$dir/link/usr/lib/aarch64-linux-gnu -C link-arg=-Wl,-rpath-link,$tree/usr/lib/aarch64-linux-gnu:$tree/lib/aarch64-linux-gnu"
export LIBBPF_SYS_EXTRA_CFLAGS="-I$dir/link/usr/include" CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
exec cargo test --target aarch64-unknown-linux-gnu --no-run --message-format=json-render-diagnostics "$@"
