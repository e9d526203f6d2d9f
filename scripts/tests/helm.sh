#!/usr/bin/env bash
# The Helm chart without a cluster: lint, every case of helm/tests/cases rendered, judged by the schemas of the oldest
# and the newest supported Kubernetes and compared with helm/tests/golden; wrong values refused with words that help;
# schema and reference fresh; versions the same everywhere. UPDATE=1 writes the golden files anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

OLDEST=1.25
NEWEST=1.37
VALIDATE="kubernetes-validate==1.37.0"

chart=helm/sentinel
PATH=$(scripts/get-helm.sh):$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HELM_CACHE_HOME=$work/cache HELM_CONFIG_HOME=$work/config HELM_DATA_HOME=$work/data

python=${XDG_CACHE_HOME:-$HOME/.cache}/sentinel/python-$VALIDATE
if [ ! -x "$python/bin/kubernetes-validate" ]; then
    say "Installing $VALIDATE into $python."
    rm -rf "$python"
    python3 -m venv "$python"
    "$python/bin/pip" --quiet --disable-pip-version-check install "$VALIDATE" pyyaml
fi

say "Helm: lint; schema and reference are fresh."
helm lint --strict --quiet "$chart"
"$python/bin/python" scripts/chart-reference.py --check
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
for line in "version: $version" "appVersion: \"$version\""; do
    grep -qx "$line" "$chart/Chart.yaml" || die "$chart/Chart.yaml has not the version of Cargo.toml: $line"
done

render() { # render CASE KUBERNETES OPTION...
    local case=$1 kubernetes=$2
    shift 2
    helm template sentinel "$chart" --namespace security --values "helm/tests/cases/$case.yaml" --kube-version "$kubernetes" "$@"
}

count=0
for file in helm/tests/cases/*.yaml; do
    case=$(basename "$file" .yaml)
    for kubernetes in $OLDEST $NEWEST; do
        render "$case" "$kubernetes" >"$work/$case-$kubernetes.yaml"
    done
    golden=helm/tests/golden/$case.yaml
    if [ -n "${UPDATE:-}" ]; then
        mkdir -p helm/tests/golden
        cp "$work/$case-$NEWEST.yaml" "$golden"
    fi
    diff -u "$golden" "$work/$case-$NEWEST.yaml" || die "$golden is not what is rendered: if it should be, UPDATE=1 $0"
    count=$((count + 1))
done
for golden in helm/tests/golden/*.yaml; do
    [ -e "helm/tests/cases/$(basename "$golden")" ] || die "$golden has no case"
done
# Besides, what the cases leave out: every mode with and without encryption, with and without a claim, with the release's
# detector, another and none; and the others of the large choices by turns. Each is rendered, or refused for the one
# reason there is.
matrix=0 refused=0
for mode in grpc nats stdout file '{grpc,file}' '{nats,stdout}'; do
    for tls in true false; do
        for pvc in true false; do
            for detector in own other none; do
                matrix=$((matrix + 1))
                turn=$([ $((matrix % 2)) = 0 ] && echo true || echo false)
                arguments=(--set "agent.stream.mode=$mode" --set "agent.storage.pvc.enabled=$pvc" --set "nats.servers={nats://bus:4222}"
                    --set "detector.autoscaling.enabled=$turn" --set "dashboard.enabled=$([ $((matrix % 3)) = 0 ] && echo false || echo true)"
                    --set "networkPolicy.enabled=$turn" --set "agent.privileged=$turn")
                case $detector in
                own) [ $tls = false ] || arguments+=(--set detector.tls.secret=tls --set agent.grpc.tls.enabled=true) ;;
                other) arguments+=(--set detector.enabled=false --set agent.grpc.endpoint=other:1 --set "agent.grpc.tls.enabled=$tls") ;;
                none) arguments+=(--set detector.enabled=false --set "agent.grpc.tls.enabled=$tls") ;;
                esac
                if helm template sentinel "$chart" "${arguments[@]}" --kube-version "$NEWEST" >"$work/matrix$matrix-$NEWEST.yaml" 2>"$work/log.txt"; then
                    [[ $detector != none || $mode != *grpc* && $mode != *nats* ]] || die "accepted without a detector: $mode"
                else
                    [[ $detector == none && ($mode == *grpc* || $mode == *nats*) ]] || die "refused: ${arguments[*]}: $(cat "$work/log.txt")"
                    grep -q "there is no detector" "$work/log.txt" || die "$(cat "$work/log.txt")"
                    refused=$((refused + 1))
                    rm "$work/matrix$matrix-$NEWEST.yaml"
                fi
            done
        done
    done
done
# In one process: reading the schemas takes longer than judging.
"$python/bin/python" - "$work" "$OLDEST" "$NEWEST" <<'PYTHON'
import pathlib, sys

import kubernetes_validate, yaml

# cert-manager's, Prometheus' and the Gateway API's objects have no schema here.
OTHERS = ("cert-manager.io/", "monitoring.coreos.com/", "gateway.networking.k8s.io/")
problems = []
for kubernetes in sys.argv[2:]:
    for path in sorted(pathlib.Path(sys.argv[1]).glob(f"*-{kubernetes}.yaml")):
        objects = [one for one in yaml.safe_load_all(path.read_text()) if one]
        seen = [(one["kind"], one["metadata"]["name"]) for one in objects]
        problems += [f"{path.stem}: twice: {one}" for one in set(seen) if seen.count(one) > 1]
        for one in objects:
            if one["apiVersion"].startswith(OTHERS):
                continue
            try:
                kubernetes_validate.validate(one, kubernetes, strict=True)
            except kubernetes_validate.ValidationError as error:
                where = ".".join(map(str, error.path))
                problems.append(f"{path.stem}: {one['kind']} {one['metadata']['name']}: {where}: {error.message}")
sys.exit("\n".join("error: " + problem for problem in problems) or 0)
PYTHON
say "Helm: $((matrix - refused)) combinations of values render and fit Kubernetes $NEWEST, $refused are refused."
say "Helm: $count cases are accepted by Kubernetes $OLDEST and $NEWEST and are what they were."

# What the programs will read must be what the programs accept: their own check, when they were built.
# Of a debug and a release build, the newer.
built() {
    local file
    for file in "${CARGO_TARGET_DIR:-target}"/{debug,release}/sentinel-"$1"; do
        [ ! -x "$file" ] || printf '%s\n' "$file"
    done | xargs -r ls -t | head -n 1
}
for case in "$work"/*-"$NEWEST".yaml; do
    [[ $case != */matrix* ]] || continue
    "$python/bin/python" - "$case" "$work" <<'PYTHON'
import pathlib, sys, yaml
for one in yaml.safe_load_all(open(sys.argv[1])):
    if one and one["kind"] == "ConfigMap":
        for name, text in one["data"].items():
            pathlib.Path(sys.argv[2], pathlib.Path(sys.argv[1]).stem + "." + name).write_text(text)
PYTHON
done
for program in agent detector dashboard; do
    command=$(built "$program")
    if [ -z "$command" ]; then
        [ -z "${CI:-}" ] || die "sentinel-$program is not built: its configurations cannot be checked"
        say "Not checked: configurations for sentinel-$program, which is not built (cargo build)."
        continue
    fi
    for config in "$work"/*."$program-config.yaml"; do
        # Files that only a pod has are made up here.
        sed -e "s|/etc/sentinel-ebpf/rules.yaml|${config%".$program-config.yaml"}.rules.yaml|" \
            -e "s|/etc/sentinel-rules/[a-z]*|$work/rules.d|" "$config" >"$work/config.yaml"
        mkdir -p "$work/rules.d"
        SENTINEL_DASHBOARD_TOKEN=0123456789abcdef SENTINEL_HTTP_TOKEN=0123456789abcdef \
            "$command" --config "$work/config.yaml" --check-config >"$work/log.txt" 2>&1 ||
            die "sentinel-$program refuses $(basename "$config"): $(cat "$work/log.txt")"
    done
done

refuses() { # refuses WORDS SETTING...: rendering fails and says this
    local words=$1 setting
    local -a arguments=()
    shift
    for setting in "$@"; do arguments+=(--set "$setting"); done
    if helm template sentinel "$chart" "${arguments[@]}" >"$work/log.txt" 2>&1; then
        die "accepted: $*"
    fi
    grep -qF -- "$words" "$work/log.txt" || die "$*: no word of '$words' in: $(cat "$work/log.txt")"
}
refuses "must be one of 'grpc', 'nats', 'stdout', 'file'" agent.stream.mode=grcp
refuses "additional properties 'modus' not allowed" agent.stream.modus=grpc
refuses "minimum: got 0, want 1" agent.stream.batchSize=0
refuses "maximum: got 99,999, want 65,535" detector.service.port=99999
refuses "must be one of 'error', 'warn', 'info', 'debug', 'trace'" config.logLevel=loud
refuses "/agent/storage/pvc/size" agent.storage.pvc.size=much
refuses "additional properties 'paths' not allowed" 'config.rules[0].name=x,config.rules[0].match.paths=/'
refuses "set detector.enabled=true" detector.enabled=false
refuses "nothing would be installed" agent.enabled=false detector.enabled=false
refuses "set detector.tls.secret" agent.grpc.tls.enabled=true
refuses "set agent.grpc.tls.enabled=true" detector.tls.secret=x
refuses "set nats.servers" agent.stream.mode=nats
refuses "nats.passwordSecret" agent.stream.mode=nats 'nats.servers={nats://me:word@bus:4222}'
refuses "passwordSecret" detector.history.postgres.url=postgresql://me:word@db/sentinel
refuses "/detector/history/postgres/url" detector.history.postgres.url=mysql://me@db/sentinel
refuses "set agent.grpc.tls.clientSecret" agent.grpc.tls.enabled=true detector.tls.secret=x detector.tls.clientCaSecret=y
refuses "the port is not encrypted" detector.tls.clientCaSecret=y
refuses "issuerRef.name" detector.tls.certManager.enabled=true agent.grpc.tls.enabled=true
refuses "set dashboard.access.tokenSecret" dashboard.access.mode=token
refuses "set dashboard.access.mode to token or header" dashboard.ingress.enabled=true
say "Helm: what does not fit is refused."
