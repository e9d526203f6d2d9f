#!/usr/bin/env bash
# report.sh: docs/kernels.md from results of scripts/vm-test.sh on standard input: a row for each test and each attack, a
# column for each kernel; scenarios; what was not seen and what doctor had said.
set -euo pipefail

results=$(cat)
table() { # table WHAT: of the lines of results that come in
    awk -F'\t' -v what="$1" '
        !($2 in column) { column[$2] = ++columns; kernel[columns] = $2 }
        !($3 in row) { row[$3] = ++rows; name[rows] = $3 }
        { result[row[$3], column[$2]] = $4 == "ok" ? "yes" : $4 == "failed" ? "**no**" : "–" }
        END {
            printf "| %s |", what; for (c = 1; c <= columns; c++) printf " %s |", kernel[c]; print ""
            printf "|---|"; for (c = 1; c <= columns; c++) printf "---|"; print ""
            for (r = 1; r <= rows; r++) {
                text = name[r]; gsub(/_/, " ", text); printf "| %s |", text
                for (c = 1; c <= columns; c++) printf " %s |", result[r, c] ? result[r, c] : "–"; print ""
            }
        }'
}
# Kernels as they are started by themselves; in a scenario the name of the series goes on with it.
plain() { awk -F'\t' '$1 !~ /@/ && $4 != "said"' <<<"$results"; }

cat <<'TEXT'
# Kernels

Written by `make vm-test DOCS=1`: tests in guests that run Debian's kernels under QEMU. The kernel decides which hooks
are used (`sentinel doctor` tells); the tests are the same everywhere.

## Tests

Of `crates/probe/tests`, the kernel side; of `crates/agent/tests/root_log.rs`, the agent killed and its disk full; of
`crates/cli/tests/root_doctor.rs`, that what doctor says is so. Each is a claim. A dash: it was not run there. 32-bit
calls (`int 0x80`) are x86's alone, and the table of what programs cost the verifier is that of x86: they have a dash on
arm64.

TEXT
plain | awk -F'\t' '$3 !~ /^attack /' | table claim
cat <<'TEXT'

## Attacks

Every attack of `sentinel-simulate`, against `sentinel run` with the shipped rules: it raises the alert of its rule and
no other, and its benign twin raises none. A dash: see below.

TEXT
plain | sed -n 's/\tattack /\t/p' | table attack
cat <<'TEXT'

What was not seen or not tried, and why:

TEXT
plain | awk -F'\t' '$4 == "skipped" {
        sub(/^attack /, "", $3); key = "`" $3 "`: " ($5 ? $5 : "no reason was told")
        if (!(key in on)) order[++n] = key
        on[key] = on[key] (on[key] ? ", " : "") $2
    }
    END { for (i = 1; i <= n; i++) print "- " order[i] " (" on[order[i]] ")"; if (!n) print "- nothing" }'
cat <<'TEXT'

What `sentinel doctor` said there was missing, before anything else was started:

TEXT
awk -F'\t' '$4 == "said" {
        key = $3 ": " $5
        if (!(key in on)) order[++n] = key
        on[key] = on[key] (on[key] ? "; " : "") $2
    }
    END { for (i = 1; i <= n; i++) print "- " order[i] " (" on[order[i]] ")"; if (!n) print "- nothing" }' <<<"$results"
cat <<'TEXT'

## Scenarios

Kernels with other settings: `integrity` and `confidentiality` are modes of lockdown, with `no-lsm` BPF is none of the
active security modules. With `confidentiality` BPF may not read the kernel's memory and Sentinel does not work; what is
tried is that doctor says so and that `sentinel run` does not pretend.

Others are in the tables above: a flood (`produced is delivered plus lost …`), and a restart (`kill 9 leaves every
record that was written`). Of what the kernel has no part in, `crates/detector/tests/root_faults.rs` kills the detector
and cuts the network, `scripts/tests/guest.sh` upgrades the package in a machine with systemd, and `scripts/noise.sh`
counts the alerts of a boot and of daily work.

| kernel, scenario | tests and attacks that hold | that do not |
|---|---|---|
TEXT
awk -F'\t' '$1 ~ /@/ && $4 != "said" {
        if (!($2 in seen)) { seen[$2] = 1; order[++n] = $2 }
        if ($4 == "ok") ok[$2]++
        if ($4 == "failed") bad[$2] = bad[$2] (bad[$2] ? ", " : "") $3
    }
    END { for (i = 1; i <= n; i++) printf "| %s | %d | %s |\n", order[i], ok[order[i]], bad[order[i]] ? bad[order[i]] : "none" }' <<<"$results"
