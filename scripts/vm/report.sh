#!/usr/bin/env bash
# report.sh RESULTS: docs/kernels.md from the results of scripts/vm-test.sh: a row for each test, a column for each kernel.
set -euo pipefail

cat <<'TEXT'
# Kernels

Written by `make vm-test DOCS=1`: the tests of `crates/probe/tests`, each a claim, in guests that run Debian's kernels
under QEMU. The kernel decides which hooks are used (`sentinel doctor` tells); the tests are the same everywhere.

TEXT
awk -F'\t' '
    !($2 in column) { column[$2] = ++columns; kernel[columns] = $2 }
    !($3 in row) { row[$3] = ++rows; name[rows] = $3 }
    { result[row[$3], column[$2]] = $4 == "ok" ? "yes" : "**no**" }
    END {
        printf "| claim |"; for (c = 1; c <= columns; c++) printf " %s |", kernel[c]; print ""
        printf "|---|"; for (c = 1; c <= columns; c++) printf "---|"; print ""
        for (r = 1; r <= rows; r++) {
            text = name[r]; gsub(/_/, " ", text); printf "| %s |", text
            for (c = 1; c <= columns; c++) printf " %s |", result[r, c]; print ""
        }
    }' "${1:?"usage: report.sh RESULTS"}"
