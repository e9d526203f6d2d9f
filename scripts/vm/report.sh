#!/usr/bin/env bash
# report.sh RESULTS: docs/kernels.md from the results of scripts/vm-test.sh: a row for each test and each attack, a column
# for each kernel.
set -euo pipefail

results=${1:?"usage: report.sh RESULTS"}
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

cat <<'TEXT'
# Kernels

Written by `make vm-test DOCS=1`: tests in guests that run Debian's kernels under QEMU. The kernel decides which hooks
are used (`sentinel doctor` tells); the tests are the same everywhere.

## The kernel side

The tests of `crates/probe/tests`, each a claim. A dash: it was not run there. 32-bit calls (`int 0x80`) are x86's
alone, and tests that name old calls (`open`, `unlink`, `dup2`) are built for x86 only: they have a dash on arm64.

TEXT
grep -v $'\tattack ' "$results" | table claim
cat <<'TEXT'

## Attacks

Every attack of `sentinel-simulate`, against `sentinel run` with the shipped rules: it raises the alert of its rule and
no other, and its benign twin raises none. A dash: it was not run there, or it needs something that the guest does not
have.

TEXT
grep $'\tattack ' "$results" | sed 's/\tattack /\t/' | table attack
