#!/usr/bin/env bash
# mutations.sh: shows that the tests notice what they are for. One thing after the other is broken on purpose (a program's
# logic, a shipped rule, where a hook is attached), everything is built, and the case that is about it must fail; before
# that it must pass. Prints docs/mutations.md. On this machine's kernel; root, and some minutes.
#
# The tree is not touched: it is mounted over itself in a mount namespace of this script's own, and what is written there
# goes to a directory that is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

if [ -z "${MUTATIONS:-}" ]; then
    [ "$(id -u)" -eq 0 ] || die "root is needed: mounting, and loading BPF programs"
    # Programs that start from a temporary directory are what a rule is about.
    work=$(mktemp -d /var/lib/sentinel-mutations.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    MUTATIONS=$work unshare --mount --propagation private "$PWD/scripts/vm/mutations.sh"
    exit
fi

top=$PWD
cover() { # cover DIRECTORY NAME
    mkdir -p "$MUTATIONS/$2"/{upper,work}
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$MUTATIONS/$2/upper,workdir=$MUTATIONS/$2/work" "$1"
}
cover "$top" tree
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
case $target in
"$top"/*) ;;
*) mkdir -p "$target" && cover "$target" target ;;
esac
cd "$top"
export CARGO_INCREMENTAL=0

# Reads MUTATIONS/said for the reason of a failure.
try() { # try CASE: an attack and its twin, or a test of the tree
    local words=(--workspace --test root_simulations)
    [ "${1%% *}" = attack ] || words=(--workspace --test "$1")
    SENTINEL_ATTACKS=${1#attack } timeout 900 cargo test --quiet "${words[@]}" -- --nocapture >"$MUTATIONS/said" 2>&1
}

replace() { # replace FILE FROM TO: one place, no more and no less
    python3 - "$@" <<'PYTHON'
import pathlib, sys
path, old, new = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
text = path.read_text()
if text.count(old) != 1:
    sys.exit(f"error: {path} has {old!r} {text.count(old)} times: bring the mutation up to date")
path.write_text(text.replace(old, new))
PYTHON
}

mutate() { # mutate ABOUT CASE FILE FROM TO
    local about=$1 case=$2 file=$3 said
    say "$about: $case"
    cp "$file" "$MUTATIONS/before"
    replace "$file" "$4" "$5"
    if try "$case"; then
        die "$about: nobody noticed"
    fi
    grep -qE '^(WRONG|test .*FAILED|thread )' "$MUTATIONS/said" || die "$about: it did not come to a test: $(tail -n 20 "$MUTATIONS/said")"
    # The panic's message, without the alerts that it lists.
    said=$(sed -n '/ panicked at /{n;p;q;}' "$MUTATIONS/said" | cut -c1-160)
    # shellcheck disable=SC2016 # the backquotes are for the document
    printf '| %s | `%s` | `%s` | %s |\n' "$about" "$file" "$case" "${said//|/\\|}"
    # A time of its own, so that it is built again.
    cp "$MUTATIONS/before" "$file"
}

BPF=bpf/memory.bpf.c
RULES=rules/sentinel_rules.yaml
PLAN=crates/probe/src/plan.rs

for case in "attack injection-protect" "attack reverse-shell-port" "attack reverse-shell-tool-quoted" \
    "attack injection-ptrace" root_doctor; do
    say "Unbroken: $case"
    try "$case" || die "$case fails before anything was broken: $(tail -n 20 "$MUTATIONS/said")"
done

cat <<TEXT
# Broken on purpose

Written by \`scripts/vm/mutations.sh >docs/mutations.md\` on Linux $(uname -r): each of these changes was made alone, in a
copy of the tree, everything was built, and the case that is about it was run. It had passed before, and it failed.

| what was broken | where | case that failed | what it said |
|---|---|---|---|
TEXT
mutate "A program's logic: memory that becomes executable is what is not told" "attack injection-protect" $BPF \
    'if (!(prot & PROT_EXEC) || !wanted_call(SENTINEL_KIND_MPROTECT_EXEC' \
    'if ((prot & PROT_EXEC) || !wanted_call(SENTINEL_KIND_MPROTECT_EXEC'
mutate "A rule that is too narrow: the ports are others" "attack reverse-shell-port" $RULES \
    'items: [4444, 8081, 9001]' 'items: [4445, 8082, 9002]'
# Two patterns look for it.
patterns=$'[ec]|--exec|--sh-exec|--lua-exec)( .*|=.*)?")\n     or (proc.name in (busybox, nc) and proc.args regex "(?s)'
mutate "A rule that is too narrow: its patterns end with the line" "attack reverse-shell-tool-quoted" $RULES \
    "regex \"(?s)(.* )?(-[a-zA-Z]*$patterns" "regex \"(.* )?(-[a-zA-Z]*${patterns%(?s)}"
mutate "A rule that is too wide: every port" "attack reverse-shell-port" $RULES \
    'sn_connect and fd.l4proto = tcp and fd.sport in (sn_known_bad_ports)' 'sn_connect and fd.l4proto = tcp'
mutate "A hook that is attached elsewhere" "attack injection-ptrace" $PLAN \
    '"ptrace", ["sys_exit_ptrace"]' '"ptrace", ["sys_exit_getrandom"]'
mutate "The same, as doctor sees it" root_doctor $PLAN \
    '"ptrace", ["sys_exit_ptrace"]' '"ptrace", ["sys_exit_getrandom"]'
