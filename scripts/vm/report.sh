#!/usr/bin/env bash
# report.sh: docs/kernels.md from results of scripts/vm-test.sh on standard input: a row for each test, each attack and each
# program of the kernel side, a column for each kernel; scenarios; what was not seen and what doctor had said.
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
plain() { awk -F'\t' '$1 !~ /@/ && $4 != "said" && $4 != "hooked"' <<<"$results"; }

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

## Hooks

What `sentinel doctor --attached` said on each kernel when every kind of event was wanted: the program that tells of it, what it
is attached to (and to how many hooks: system calls have variants), and what came of it. *Answers*: asked to report an act of
doctor's own, each hook did. *Attached*: it is not asked, for the reasons that [coverage](coverage.md) gives; the tests
above ask it. A dash: another program takes its place, or the kernel lacks what is named above.

TEXT
awk -F'\t' '$1 !~ /@/ && $4 == "hooked" {
        split($3, part, " "); n = split(part[1], kinds, ",")
        type = part[3]; sub(/\/.*/, "", type)
        if (!($2 in column)) { column[$2] = ++columns; kernel[columns] = $2 }
        for (i = 1; i <= n; i++) {
            key = kinds[i] "\t" part[2] "\t" type
            if (!(key in row)) { row[key] = 1; name[++rows] = key }
            at = key SUBSEP column[$2]; state = $5; sub(/:.*/, "", state)
            if (state == "verified" || state == "attached") hooks[at]++
            if (state == "attached") asked[at] = 1
            if (state == "degraded" && $5 !~ /^degraded: needs /) bad[at] = 1
        }
    }
    END {
        printf "| event | program | hook |"; for (c = 1; c <= columns; c++) printf " %s |", kernel[c]; print ""
        printf "|---|---|---|"; for (c = 1; c <= columns; c++) printf "---|"; print ""
        for (r = 1; r <= rows; r++) {
            split(name[r], part, "\t"); used = 0; line = sprintf("%s\t| `%s` | `%s` | %s |", part[1], part[1], part[2], part[3])
            for (c = 1; c <= columns; c++) {
                at = name[r] SUBSEP c
                what = bad[at] ? "**no**" : !hooks[at] ? "–" : (asked[at] ? "attached" : "answers") (hooks[at] > 1 ? " (" hooks[at] ")" : "")
                line = line " " what " |"
                used += what != "–"
            }
            if (used) print line | "LC_ALL=C sort -s -t \"\t\" -k 1,1 | cut -f 2-"
        }
    }' <<<"$results"
cat <<'TEXT'

## Scenarios

Kernels with other settings: `integrity` and `confidentiality` are modes of lockdown, with `no-lsm` BPF is none of the
active security modules. With `confidentiality` BPF may not read the kernel's memory and Sentinel does not work; what is
tried is that doctor says so and that `sentinel run` does not pretend.

Others are in the tables above: a flood (`produced is delivered plus lost …`), and a restart (`kill 9 leaves every
record that was written`). `make test-guest` boots a Debian with systemd under QEMU: the package is installed, upgraded and
purged; a boot and a day of ordinary work raise nothing of high severity and lose nothing; history and log of an earlier
version go on. `scripts/noise.sh` counts the alerts of packages, builds and a boot. Of what the kernel has no part in,
`crates/detector/tests/root_faults.rs` kills the detector and cuts the network, and `make test-cluster` runs the chart.

| kernel, scenario | tests and attacks that hold | that do not |
|---|---|---|
TEXT
awk -F'\t' '$1 ~ /@/ && $4 != "said" && $4 != "hooked" {
        if (!($2 in seen)) { seen[$2] = 1; order[++n] = $2 }
        if ($4 == "ok") ok[$2]++
        if ($4 == "failed") bad[$2] = bad[$2] (bad[$2] ? ", " : "") $3
    }
    END { for (i = 1; i <= n; i++) printf "| %s | %d | %s |\n", order[i], ok[order[i]], bad[order[i]] ? bad[order[i]] : "none" }' <<<"$results"
