#!/usr/bin/env bash
# checkov's opinion of what the chart renders by default and with everything on: a finding that helm/tests/findings.tsv
# does not explain is an error, and so is an explanation of what is not found. Installs checkov once into a cache (a minute).
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

CHECKOV="checkov==3.3.30"

helm=$(scripts/get-helm.sh)
python=${XDG_CACHE_HOME:-$HOME/.cache}/sentinel/python-$CHECKOV
if [ ! -e "$python/complete" ]; then
    say "Installing $CHECKOV into $python."
    rm -rf "$python"
    python3 -m venv "$python"
    "$python/bin/pip" --quiet --disable-pip-version-check install "$CHECKOV"
    : >"$python/complete"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The defaults by themselves: policies of other cases would count for them.
mkdir "$work/default" "$work/cases"
for case in helm/tests/cases/*.yaml; do
    name=$(basename "$case")
    [ "$name" = default.yaml ] && to=$work/default || to=$work/cases
    "$helm/helm" template sentinel helm/sentinel --namespace security --values "$case" >"$to/$name"
done
for of in default cases; do
    # It ends with 1 when it finds something; that it ran is told by what it wrote.
    "$python/bin/checkov" --directory "$work/$of" --framework kubernetes --quiet --output json >"$work/$of.json" 2>"$work/log.txt" || true
done
python3 - helm/tests/findings.tsv "$work/default.json" "$work/cases.json" <<'PYTHON'
import fnmatch, json, pathlib, sys

reports = []
for file in sys.argv[2:]:
    text = pathlib.Path(file).read_text()
    if not text:
        sys.exit("error: checkov did not run")
    report = json.loads(text)
    reports += report if isinstance(report, list) else [report]
if any(one["summary"]["parsing_errors"] for one in reports) or not sum(one["summary"]["passed"] for one in reports):
    sys.exit("error: checkov could not read what is rendered")
lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
explained = [line.split("\t") for line in lines if line and not line.startswith("#")]
used, problems = set(), []
for finding in (one for report in reports for one in report["results"]["failed_checks"]):
    check, resource = finding["check_id"], finding["resource"].split(".app.kubernetes.io")[0]
    case = pathlib.Path(finding["file_path"]).stem
    fitting = [number for number, (name, where, _) in enumerate(explained)
               if name == check and (fnmatch.fnmatch(resource, where) or fnmatch.fnmatch(f"{case}:{resource}", where))]
    used.update(fitting)
    if not fitting:
        problems.append(f"{check} in {resource}: {finding['check_name']} ({finding['file_path']})")
problems += [f"{sys.argv[1]}: {check} is not found any more" for number, (check, _, _) in enumerate(explained) if number not in used]
if problems:
    sys.exit("\n".join("error: " + problem for problem in sorted(set(problems))))
passed = sum(one["summary"]["passed"] for one in reports)
print(f"==> checkov: {passed} checks pass; {len(explained)} findings, each explained.", file=sys.stderr)
PYTHON
