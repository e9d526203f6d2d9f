# shellcheck shell=bash
# Shared by the scripts beside it: saying what happens, becoming root, finding clang.

# The BPF programs need clang 14 or newer; crates/probe/build.rs looks for these versions.
CLANG_OLDEST=14
CLANG_NEWEST=24

say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root: directly when we are root, else through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "root is needed for: $* (no sudo here; run that command as root, then start again)"
    fi
}

# Major version of a clang that can compile for the BPF target; nothing when it cannot.
clang_major() {
    local targets version
    targets=$("$1" --print-targets 2>/dev/null) || return 0
    grep -q '^ *bpf ' <<<"$targets" || return 0
    version=$("$1" -dumpversion 2>/dev/null) || return 0
    printf '%s\n' "${version%%.*}"
}

# Prints the clang that crates/probe/build.rs will use, when it is new enough: $BPF_CLANG, else the newest.
find_clang() {
    local candidate major version
    local -a candidates=()
    if [ -n "${BPF_CLANG:-}" ]; then
        candidates=("$BPF_CLANG")
    else
        for version in $(seq "$CLANG_NEWEST" -1 "$CLANG_OLDEST"); do candidates+=("clang-$version"); done
        candidates+=(clang)
    fi
    for candidate in "${candidates[@]}"; do
        command -v "$candidate" >/dev/null || continue
        major=$(clang_major "$candidate")
        if [ -n "$major" ] && [ "$major" -ge "$CLANG_OLDEST" ]; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
}

# With DRY_RUN=1 commands that change something are printed and not run.
dry_run() { [ "${DRY_RUN:-0}" = 1 ]; }

change() {
    if dry_run; then
        printf '+' >&2
        printf ' %q' "$@" >&2
        printf '\n' >&2
    else
        "$@"
    fi
}
