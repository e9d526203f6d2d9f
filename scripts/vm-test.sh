#!/usr/bin/env bash
# vm-test.sh [--smoke] [SERIES...]: runs the kernel tests of crates/probe, and every simulated attack against the
# shipped rules (crates/cli/tests/root_simulations.rs), in guests with other kernels, two at a time, and writes
# target/vm/{results.tsv,junit.xml,log-SERIES}. Fails when a test fails, or when a guest does not come to its end.
# A series may go on with @integrity (lockdown=integrity) or @no-lsm (BPF is no security module): 6.12@integrity.
# docs/kernels.md is written from results.tsv when every kernel was run (`make vm-test DOCS=1`). A series arm64-… is
# built with scripts/vm/cross.sh, without the tests in ONLY_X86: those name system calls that arm64 does not have.
#
# --smoke: 6.1, 6.12 and the newest kernel; every program is loaded, a few of them are tested, and a few attacks. Not
# 5.10, whose programs have everything inlined and take minutes to verify in an emulated machine, where 6.12 needs forty
# seconds for all.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

if [ "${1:-}" = --smoke ]; then
    shift
    ALL=(6.1 6.12 7)
    TESTS='budget|compat|file|net|process'
    ATTACKS=exec-temporary,injection-ptrace,read-passwords,reverse-shell-socket
    LIMIT=${LIMIT:-900}
else
    ALL=(5.10 6.1 6.12 7)
    TESTS=$(find crates/probe/tests -name 'root_*.rs' -printf '%f\n' | sed -E 's/root_(.*)\.rs/\1/; /^(flood|race)$/d' | paste -sd '|')
    ATTACKS=
    # Seconds for a guest: all of it is emulated, and the verifier is most of it.
    LIMIT=${LIMIT:-3600}
fi

# Old calls (open, unlink, dup2); the table of what programs cost (bpf/verified.tsv) is that of x86.
ONLY_X86='attribute|budget|compat|dup|file|io|name'

kernels=("$@")
[ "${#kernels[@]}" -gt 0 ] || kernels=("${ALL[@]}")
out=${CARGO_TARGET_DIR:-target}/vm
mkdir -p "$out"

# As for all of the workspace: then nothing is built that the ordinary tests do not build as well. The programs
# sentinel and sentinel-simulate come with tests of their crates.
tests() { tr '|' '\n' <<<"$TESTS|simulations|undo" | sed 's/^/--test=root_/'; }

pack() { # pack INITRD BIN [--tree DIR]: a guest of what cargo tells on standard input; its programs are in BIN
    local told initrd=$1 bin=$2
    shift 2
    told=$(python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable"):
        print(message["target"]["src_path"], message["executable"])')
    built() { sed -nE "s#.*/crates/$1/tests/root_($2)\.rs (.*)\$#\2#p" <<<"$told"; }
    mapfile -t programs < <(built probe "$TESTS")
    mapfile -t attacks < <(built cli simulations)
    [ "${#programs[@]}" -eq "$(tr '|' '\n' <<<"$TESTS" | wc -l)" ] || die "cargo did not name all programs root_($TESTS)"
    [ "${#attacks[@]}" -eq 1 ] || die "cargo named no test of simulations"
    scripts/vm/initrd.sh "$initrd" "$@" --at "$bin/sentinel" --at "$bin/sentinel-simulate" "${programs[@]}" "${attacks[@]}"
}

built=${CARGO_TARGET_DIR:-target}
if [[ " ${kernels[*]}" == *" arm64-"* ]]; then
    say "Building the tests for arm64."
    (
        TESTS=$(tr '|' '\n' <<<"$TESTS" | grep -vxE "$ONLY_X86" | paste -sd '|')
        mapfile -t wanted < <(tests)
        scripts/vm/cross.sh "$out/cross" --workspace "${wanted[@]}" |
            pack "$out/initrd-arm64.gz" "$built/aarch64-unknown-linux-gnu/debug" --tree "$out/cross/tree"
    )
fi
if [[ " ${kernels[*]}" =~ \ [0-9] ]]; then
    say "Building the tests."
    mapfile -t wanted < <(tests)
    cargo test --workspace --no-run --message-format=json "${wanted[@]}" | pack "$out/initrd.gz" "$built/debug"
fi

guest() {
    local series=$1 kernel started=$SECONDS initrd=$out/initrd.gz
    [[ $series != arm64-* ]] || initrd=$out/initrd-arm64.gz
    kernel=$(scripts/vm/kernel.sh "${series%@*}" "$out/kernels") || return 1
    case $series in
    *@integrity) export GUEST_APPEND=lockdown=integrity ;;
    *@no-lsm) export GUEST_APPEND=lsm=lockdown,capability,yama,apparmor ;;
    *@*) die "no guest is known by '${series#*@}': integrity or no-lsm" ;;
    esac
    if scripts/vm/run.sh "$kernel" "$initrd" "$out/log-$series" "$LIMIT" "$ATTACKS"; then
        say "$series: done in $((SECONDS - started)) s."
    else
        say "$series: did not come to its end in $((SECONDS - started)) s (see $out/log-$series and .kernel)."
    fi
}

rm -f "$out"/log-* "$out"/results.tsv
started=$SECONDS
for series in "${kernels[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
    guest "$series" &
done
wait

for series in "${kernels[@]}"; do
    log=$out/log-$series
    [ -e "$log" ] || { printf '%s\t-\tboot\tfailed\n' "$series" && continue; }
    # A test that writes between its name and its result still has both.
    tr -d '\r' <"$log" | awk -v series="$series" -v OFS='\t' '
        /^## kernel / { kernel = $3 (series ~ /@/ ? ", " substr(series, index(series, "@") + 1) : "") }
        /^test [a-z_0-9]+ \.\.\. / { if (name) print series, kernel, name, "failed"; name = $2 }
        match($0, /(SEEN|WRONG|SKIPPED): [a-z0-9-]+/) {
            split(substr($0, RSTART, RLENGTH), attack, ": ")
            print series, kernel, "attack " attack[2], attack[1] == "SEEN" ? "ok" : attack[1] == "WRONG" ? "failed" : "skipped"
        }
        name && /ok$/ { print series, kernel, name, "ok"; name = "" }
        name && /FAILED$/ { print series, kernel, name, "failed"; name = "" }
        /^## ended / { if (name) print series, kernel, name, "failed"; name = ""; if ($4 != 0) print series, kernel, $3, "failed" }
        /^## done / { done = 1 }
        END { if (!done) print series, kernel ? kernel : "-", "the guest comes to its end", "failed" }'
done >"$out/results.tsv"

awk -F'\t' '
    function xml(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); return s }
    { total++; line[total] = sprintf("  <testcase classname=\"%s\" name=\"%s\"%s", xml($2), xml($3),
        $4 == "ok" ? "/>" : "><" ($4 == "failed" ? "failure" : "skipped") "/></testcase>"); failed += $4 == "failed" }
    END { printf "<testsuite name=\"vm-test\" tests=\"%d\" failures=\"%d\">\n", total, failed
        for (i = 1; i <= total; i++) print line[i]; print "</testsuite>" }' "$out/results.tsv" >"$out/junit.xml"

for series in "${kernels[@]}"; do
    awk -F'\t' -v series="$series" '$1 == series { kernel = $2; if ($4 == "ok") ok++; else if ($4 == "failed") { bad++; names = names "\n    " $3 } }
        END { printf "%-10s %-32s %3d passed %3d failed%s\n", series, kernel, ok, bad, names }' "$out/results.tsv"
done
printf 'vm-test: %s s\n' "$((SECONDS - started))"
if [ -n "${DOCS:-}" ]; then
    scripts/vm/report.sh "$out/results.tsv" >docs/kernels.md
    # What the guests told of their verifiers replaces what the table has of their kernels.
    told=$(cat "${kernels[@]/#/$out/log-}" | tr -d '\r' | sed -n 's/^## verified //p')
    series=$(cut -f1 <<<"$told" | sort -u)
    { grep -vwFf <(printf '%s\n' "${series:-none}") bpf/verified.tsv; printf '%s\n' "$told"; } |
        sed '/^$/d' | LC_ALL=C sort -u >"$out/verified.tsv"
    cp "$out/verified.tsv" bpf/verified.tsv
fi
! grep -q 'failed$' "$out/results.tsv"
