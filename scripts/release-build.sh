#!/usr/bin/env bash
# Builds the release programs as they are given away: with nothing of this machine in them. `release-build.sh [OPTION…]`, options
# of cargo build, e.g. --package sentinel-agent; all programs without. The same sources and tools give the same bytes wherever
# they are built: scripts/reproducible.sh shows it. (`make build` is the same without; it keeps what was built before.)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

here=$PWD
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
[ $# -gt 0 ] || set -- --package sentinel-cli --package sentinel-agent --package sentinel-detector --package sentinel-dashboard

# Places in panics and log records. The last that fits counts; a unit separator is between options, so that paths may have spaces.
flags=(
    "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    "--remap-path-prefix=$here=/sentinel"
    "--remap-path-prefix=$target=/target"
)
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && printf '%s' "${flags[*]}")

# Those in what runs in the kernel: crates/probe takes the compiler from the environment.
clang=$(find_clang)
[ -n "$clang" ] || die "clang $CLANG_OLDEST or newer is missing: scripts/setup.sh build installs it"
mkdir -p "$target"
printf '#!/bin/sh\nexec %q %q "$@"\n' "$(command -v "$clang")" "-ffile-prefix-map=$here=." >"$target/bpf-clang"
chmod 755 "$target/bpf-clang"

export CARGO_ENCODED_RUSTFLAGS BPF_CLANG=$target/bpf-clang
exec "${CARGO:-cargo}" build --release --locked "$@"
