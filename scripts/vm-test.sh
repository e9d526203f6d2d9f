#!/usr/bin/env bash
# vm-test.sh [--smoke] [SERIES[@SCENARIO]...]: runs the kernel tests of crates/probe, every simulated attack against the
# shipped rules, and what doctor says (both crates/cli/tests), and the agent being killed (crates/agent/tests/root_log.rs),
# in guests with other kernels, two at a time, and writes target/vm/{results.tsv,junit.xml,log-SERIES}. Fails when a test
# fails, or when a guest does not come to its end. Scenarios, of fewer tests: integrity and confidentiality (the modes
# of lockdown), no-lsm (BPF is no security module).
#
# ONLY='doctor|simulations' runs these programs only; results of the others stay.
#
# DOCS=1 (`make vm-test DOCS=1`) writes docs/kernels.md from the newest results of every series; without a SERIES all
# are run and what was there is forgotten. A series arm64-… is built with scripts/vm/cross.sh, without the tests in
# ONLY_X86.
#
# --smoke: the oldest kernel, 6.1, 6.12 and the newest; every program is loaded, a few of them are tested, and a few attacks.
# On the oldest fewer: its programs have everything inlined and take twice as long to verify.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

some=${ONLY:-}
if [ "${1:-}" = --smoke ]; then
    shift
    ALL=(5.10 6.1 6.12 7 6.12@confidentiality)
    TESTS='budget|compat|file|message|names|net|process'
    OLDEST='budget|message|process'
    OTHERS='cli:doctor cli:simulations'
    # All but the scenarios.
    ONLY="$TESTS|simulations"
    ATTACKS=exec-temporary,injection-ptrace,read-passwords,read-passwords-ring,reverse-shell-ring,reverse-shell-socket
    LIMIT=${LIMIT:-900} kept=smoke
else
    ALL=(5.10 6.1 6.12 7 arm64-6.12 6.12@integrity 6.12@no-lsm 6.12@confidentiality)
    TESTS=$(find crates/probe/tests -name 'root_*.rs' -printf '%f\n' | sed -E 's/root_(.*)\.rs/\1/' | sort | paste -sd '|')
    OTHERS='agent:log cli:doctor cli:simulations'
    ONLY=${ONLY:-} ATTACKS='' OLDEST=''
    # Seconds for a guest: all of it is emulated, and the verifier is most of it.
    LIMIT=${LIMIT:-3600} kept=results
fi

# 32-bit calls; the table of what programs cost (bpf/verified.tsv) is that of x86.
ONLY_X86='budget|compat'

out=${CARGO_TARGET_DIR:-target}/vm
mkdir -p "$out"
kernels=("$@")
if [ "${#kernels[@]}" -eq 0 ]; then
    kernels=("${ALL[@]}")
    rm -f "$out/$kept"-*.tsv
fi

# As for all of the workspace: then nothing is built that the ordinary tests do not build as well. The programs
# sentinel, sentinel-agent and sentinel-simulate come with tests of their crates.
tests() {
    { tr '|' '\n' <<<"$TESTS|undo|log" && tr ' ' '\n' <<<"$OTHERS" | cut -d: -f2; } | sort -u | sed 's/^/--test=root_/'
}

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
    mapfile -t programs < <(built probe "$TESTS" && for other in $OTHERS; do built "${other%:*}" "${other#*:}"; done)
    [ "${#programs[@]}" -eq "$({ tr '|' '\n' <<<"$TESTS" && tr ' ' '\n' <<<"$OTHERS"; } | wc -l)" ] ||
        die "cargo did not name all programs root_($TESTS) of probe and $OTHERS"
    scripts/vm/initrd.sh "$initrd" "$@" --at "$bin/sentinel" --at "$bin/sentinel-agent" --at "$bin/sentinel-simulate" "${programs[@]}"
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
    cargo test --workspace --no-run --message-format=json-render-diagnostics "${wanted[@]}" | pack "$out/initrd.gz" "$built/debug"
fi

guest() {
    local series=$1 kernel started=$SECONDS initrd=$out/initrd.gz
    [[ $series != arm64-* ]] || initrd=$out/initrd-arm64.gz
    kernel=$(scripts/vm/kernel.sh "${series%@*}" "$out/kernels") || return 1
    # What a scenario is about, and the programs that it is tried with.
    local only=$ONLY with='doctor|file|memory|net|process|simulations'
    case $series in
    5.10) only=${OLDEST:-$only} ;;
    *@integrity) only=$with && export GUEST_APPEND=lockdown=integrity ;;
    *@confidentiality) only=doctor && export GUEST_APPEND=lockdown=confidentiality ;;
    *@no-lsm) only=$with && export GUEST_APPEND=lsm=lockdown,capability,yama,apparmor ;;
    *@*) die "no scenario is called '${series#*@}': integrity, confidentiality or no-lsm" ;;
    esac
    [ -z "$only" ] || export GUEST_APPEND="${GUEST_APPEND:+$GUEST_APPEND }guest.only=$only"
    if scripts/vm/run.sh "$kernel" "$initrd" "$out/log-$series" "$LIMIT" "$ATTACKS"; then
        say "$series: done in $((SECONDS - started)) s."
    else
        say "$series: did not come to its end in $((SECONDS - started)) s (see $out/log-$series and .kernel)."
    fi
}

for series in "${kernels[@]}"; do rm -f "$out/log-$series" "$out/log-$series.kernel"; done
started=$SECONDS
for series in "${kernels[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
    guest "$series" &
done
wait

# Lines of SERIES, kernel, test, ok|failed|skipped|said|hooked, why. Of a hook the test is "KIND,… PROGRAM HOOK", and why is
# the word that doctor has for it, with the reason where it gives one.
read_log() { # read_log SERIES
    # A test that writes between its name and its result still has both.
    tr -d '\r' <"$out/log-$1" | awk -v series="$1" -v OFS='\t' '
        function tell(what, how, why) { print series, kernel ? kernel : "-", what, how, why }
        /^## kernel / { kernel = $3 (series ~ /@/ ? ", " substr(series, index(series, "@") + 1) : "") }
        # Of doctor: what is not there, and what it says about that on the next line.
        hook {
            why = /^# doctor  +→ / ? substr($0, index($0, "→") + 4) : ""
            tell(hook, "hooked", state (why ? ": " why : ""))
            # What the kernel lacks is named as a need; anything else is ours.
            if (state == "degraded" && why !~ /^needs /) tell("hook " hook, "failed", why)
            hook = ""
        }
        /^# doctor  +→ / { if (lacks) { sub(/^# doctor  +→ /, ""); tell(lacks, "said", $0) } lacks = ""; next }
        lacks { tell(lacks, "said", ""); lacks = "" }
        /^# doctor   (missing|optional) / { split(substr($0, 22), part, /   */); lacks = part[1] }
        /^# doctor   (verified|attached|idle|absent|degraded) / { hook = $6 " " $4 " " $5; state = $3 }
        /^test [a-z_0-9]+ \.\.\. / { if (name) tell(name, "failed"); name = $2 }
        match($0, /(SEEN|WRONG|SKIPPED): [a-z0-9-]+/) {
            split(substr($0, RSTART, RLENGTH), attack, ": ")
            tell("attack " attack[2], attack[1] == "SEEN" ? "ok" : attack[1] == "WRONG" ? "failed" : "skipped",
                attack[1] == "SKIPPED" ? substr($0, RSTART + RLENGTH + 2) : "")
        }
        name && /ok$/ { tell(name, "ok"); name = "" }
        name && /FAILED$/ { tell(name, "failed"); name = "" }
        /^## ended / { if (name) tell(name, "failed"); name = ""; if ($4 != 0) tell($3, "failed") }
        /^## done / { done = 1 }
        END { if (!done) tell("the guest comes to its end", "failed") }'
}

for series in "${kernels[@]}"; do
    if [ -e "$out/log-$series" ]; then
        read_log "$series"
    else
        printf '%s\t-\tboot\tfailed\t\n' "$series"
    fi >"$out/told.tsv"
    # Of the same kernel, what was not asked again (doctor always is).
    if [ -n "$some" ] && [ -e "$out/$kept-$series.tsv" ]; then
        awk -F'\t' -v asked="^root_($some)\$" 'NR == FNR { now[$2, $3] = kernel[$2] = 1; print; next } ($2 in kernel) && !(($2, $3) in now) && $3 !~ asked && $4 != "said" && $4 != "hooked"' \
            "$out/told.tsv" "$out/$kept-$series.tsv" >"$out/all.tsv"
        mv "$out/all.tsv" "$out/told.tsv"
    fi
    mv "$out/told.tsv" "$out/$kept-$series.tsv"
done
for series in "${kernels[@]}"; do cat "$out/$kept-$series.tsv"; done >"$out/results.tsv"

awk -F'\t' '
    function xml(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); return s }
    $4 == "said" || $4 == "hooked" { next }
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
    mapfile -t newest < <(find "$out" -name 'results-*.tsv' | sort -V)
    cat "${newest[@]}" | scripts/vm/report.sh >docs/kernels.md
    # What the guests told of their verifiers replaces what the table has of their kernels.
    told=$(cat "${kernels[@]/#/$out/log-}" | tr -d '\r' | sed -n 's/^## verified //p')
    series=$(cut -f1 <<<"$told" | sort -u)
    { grep -vwFf <(printf '%s\n' "${series:-none}") bpf/verified.tsv; printf '%s\n' "$told"; } |
        sed '/^$/d' | LC_ALL=C sort -u >"$out/verified.tsv"
    cp "$out/verified.tsv" bpf/verified.tsv
fi
! cut -f4 "$out/results.tsv" | grep -qx failed
