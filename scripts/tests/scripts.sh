#!/usr/bin/env bash
# The scripts that drive docker, k3d, kubectl and helm, run against stand-ins that write down how they were called and
# answer as told. What they print into the record is compared with what should have been done.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
# A stand-in: records its name and arguments; a file of answers decides output and exit code by the first pattern that fits.
cat >"$work/bin/stand-in" <<'STANDIN'
#!/usr/bin/env bash
call="$(basename "$0") $*"
printf '%s\n' "$call" >>"$RECORD"
while IFS='|' read -r pattern code output; do
    # shellcheck disable=SC2053 # a pattern on purpose
    if [[ $call == $pattern ]]; then
        [ -z "$output" ] || printf '%b\n' "$output"
        exit "$code"
    fi
done <"$ANSWERS"
STANDIN
chmod +x "$work/bin/stand-in"
# Everything else the scripts use, so that nothing real is reached by accident.
for tool in bash sh dirname basename cat grep awk sed sleep mktemp rm mkdir cp env id printf head dpkg; do
    ln -s "$(command -v "$tool")" "$work/bin/$tool"
done
export RECORD=$work/record ANSWERS=$work/answers

tools() { # tools NAME…: these stand-ins are there
    find "$work/bin" -lname stand-in -delete
    local tool
    for tool in "$@"; do ln -s stand-in "$work/bin/$tool"; done
}
answers() { printf '%s\n' "$@" >"$ANSWERS"; }
code=0
call() { # call SCRIPT ARGUMENT…: leaves $code, $work/out
    : >"$RECORD"
    code=0
    PATH=$work/bin bash "$@" >"$work/out" 2>&1 </dev/null || code=$?
}
count=0
expect() { # expect CODE
    count=$((count + 1))
    [ "$code" -eq "$1" ] || die "$2: exit code $code, not $1: $(cat "$work/out")"
}
called() { grep -F -- "$1" "$RECORD" >/dev/null || die "not called: $1; called were: $(cat "$RECORD")"; }
not_called() { ! grep -F -- "$1" "$RECORD" >/dev/null || die "called: $1"; }
said() { grep -F -- "$1" "$work/out" >/dev/null || die "not said: $1; said was: $(cat "$work/out")"; }

# --- k3d-setup.sh
answers 'docker buildx*|1|' '*|0|'
tools docker k3d helm kubectl apt-get curl
call scripts/k3d-setup.sh
expect 0 "all is there"
said "Warning: docker buildx is missing"
not_called "apt-get"

tools k3d helm kubectl apt-get curl
call scripts/k3d-setup.sh --dry-run
expect 0 "docker is missing, dry run"
said 'docker[.]io'
not_called "apt-get"

tools docker apt-get curl kubectl
call scripts/k3d-setup.sh
expect 1 "k3d and helm are missing"
said "k3d (https://github.com/k3d-io/k3d/releases)"
said "helm (https://github.com/helm/helm/releases)"

call scripts/k3d-setup.sh --instal-ebpf
expect 2 "a wrong option"

# --- k3d-smoke.sh
mkdir "$work/images"
for program in agent detector dashboard; do : >"$work/images/sentinel-$program.tar"; done
tools docker k3d helm kubectl
export IMAGES=$work/images LOGS=$work/logs TIMEOUT=4
answers 'kubectl *logs*detector*|0|anomaly write to /etc/hosts' '*|0|'
call scripts/k3d-smoke.sh
expect 0 "the anomaly is logged"
called "k3d cluster create sentinel-smoke"
called "k3d image import --cluster sentinel-smoke $work/images/sentinel-agent.tar"
called "helm upgrade --install sentinel helm/sentinel --kube-context k3d-sentinel-smoke --namespace sentinel"
called "/etc/hosts"
called "k3d cluster delete sentinel-smoke"

call scripts/k3d-smoke.sh --keep
expect 0 "kept"
not_called "cluster delete"

answers 'k3d cluster list*|0|sentinel-smoke 1/1 0/0 true' 'kubectl *logs*detector*|0|anomaly /etc/hosts' '*|0|'
call scripts/k3d-smoke.sh --keep
expect 0 "the cluster is there already"
not_called "cluster create"

answers '*|0|'
call scripts/k3d-smoke.sh
expect 1 "no anomaly is logged"
said "the detector did not log the write to /etc/hosts within 4 s"
[ -e "$work/logs/detector.txt" ] || die "logs of a failure are not kept"
called "k3d cluster delete sentinel-smoke"

call scripts/k3d-smoke.sh --dry-run
expect 0 "dry run"
not_called "cluster create"
not_called "helm"
said "+ helm upgrade --install sentinel"

rm "$work/images/sentinel-detector.tar"
call scripts/k3d-smoke.sh
expect 1 "an archive is missing"
said "sentinel-detector.tar is missing"

unset IMAGES
tools docker k3d helm kubectl
answers 'docker buildx version*|1|' 'kubectl *logs*detector*|0|anomaly /etc/hosts' '*|0|'
DRY_RUN=1 call scripts/k3d-smoke.sh
expect 0 "without buildah and buildx"
said "using the legacy builder"
said "+ docker build --tag localhost/sentinel-agent:smoke"

tools docker k3d kubectl
call scripts/k3d-smoke.sh
expect 1 "helm is missing"
said "helm is missing: run scripts/k3d-setup.sh"

# --- deploy-probe.sh
tools kubectl helm
answers 'kubectl config current-context|0|work' 'kubectl *get namespace*jsonpath*|0|' '*|0|'
NAMESPACE=audit AGENT_IMAGE=registry/agent AGENT_TAG=7 PVC_SIZE=99Gi PVC_CLASS=nfs call scripts/deploy-probe.sh --set config.logLevel=debug
expect 0 "everything is permitted"
called "kubectl --context work auth can-i create daemonsets.apps --namespace audit"
called "helm upgrade --install sentinel-probe helm/sentinel --kube-context work --namespace audit"
called "agent.stream.mode=file"
called "agent.image.repository=registry/agent --set-string agent.image.tag=7"
called "agent.storage.pvc.size=99Gi --set-string agent.storage.pvc.storageClassName=nfs"
called "--set config.logLevel=debug"

answers 'kubectl config current-context|0|work' '*can-i create clusterroles*|1|no' '*|0|'
call scripts/deploy-probe.sh
expect 1 "a right is missing"
said "create clusterroles.rbac.authorization.k8s.io"
said "nothing was changed"
not_called "helm"

answers 'kubectl config current-context|0|work' 'kubectl *get namespace*jsonpath*|0|restricted' '*|0|'
call scripts/deploy-probe.sh
expect 1 "a restricted namespace"
said "pod-security.kubernetes.io/enforce=privileged"
not_called "helm"

answers 'kubectl config current-context|1|' '*|0|'
call scripts/deploy-probe.sh
expect 1 "no context"
said "set KUBE_CONTEXT"

answers 'kubectl config current-context|0|work' 'kubectl *get namespace*|1|' '*|0|'
call scripts/deploy-probe.sh --dry-run
expect 0 "dry run"
called "can-i create namespaces"
not_called "helm"
said "+ helm upgrade --install sentinel-probe"

# --- images.sh, package-deb.sh: what is missing is said before anything is made
tools buildah
CARGO_TARGET_DIR=$work/none call scripts/images.sh agent
expect 1 "no program"
said "sentinel-agent is missing: run make build"
call scripts/images.sh agnet
expect 2 "a wrong program"

say "Scripts: $count calls did what they should."
