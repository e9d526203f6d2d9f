#!/usr/bin/env bash
# vm-test.sh [SERIES...]: runs the kernel tests of crates/probe, and every simulated attack against the shipped rules
# (crates/cli/tests/root_simulations.rs), in guests with other kernels, two at a time, and writes
# target/vm/{results.tsv,junit.xml,log-SERIES}. Fails when a test fails, or when a guest does not come to its end.
# docs/kernels.md is written from results.tsv when every kernel was run (`make vm-test DOCS=1`).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

ALL=(5.10 6.1 6.12 7)
# Seconds for a guest: all of it is emulated, and the verifier is most of it.
LIMIT=${LIMIT:-1200}

kernels=("$@")
[ "${#kernels[@]}" -gt 0 ] || kernels=("${ALL[@]}")
out=${CARGO_TARGET_DIR:-target}/vm
mkdir -p "$out"

say "Building the tests."
mapfile -t programs < <(cargo test -p sentinel-probe --no-run 2>&1 | tee /dev/stderr |
    sed -n 's|.*Executable tests/root_[a-z_]*\.rs (\(.*\))$|\1|p' | grep -vE '/root_(flood|race)-')
[ "${#programs[@]}" -gt 0 ] || die "cargo named no test program"
cargo build --quiet -p sentinel-simulate
mapfile -t attacks < <(cargo test -p sentinel-cli --test root_simulations --no-run 2>&1 | tee /dev/stderr |
    sed -n 's|.*Executable tests/root_simulations\.rs (\(.*\))$|\1|p')
[ "${#attacks[@]}" -eq 1 ] || die "cargo named no test of simulations"
built=${CARGO_TARGET_DIR:-target}/debug
scripts/vm/initrd.sh "$out/initrd.gz" --at "$built/sentinel" --at "$built/sentinel-simulate" "${programs[@]}" "${attacks[@]}"

guest() {
    local series=$1 kernel started=$SECONDS
    kernel=$(scripts/vm/kernel.sh "$series" "$out/kernels") || return 1
    if scripts/vm/run.sh "$kernel" "$out/initrd.gz" "$out/log-$series" "$LIMIT"; then
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
        /^## kernel / { kernel = $3 }
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
        END { printf "%-6s %-32s %3d passed %3d failed%s\n", series, kernel, ok, bad, names }' "$out/results.tsv"
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
