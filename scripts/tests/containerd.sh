#!/usr/bin/env bash
# The chart's pods on containerd, by the interface that Kubernetes uses (CRI): images by scripts/images.sh from the release
# programs, rights and mounts and configuration as helm renders them (pods.py stands in for the kubelet). The agent must see what a
# container of another pod executes and know its pod, and the alert must be in the detector's history and the dashboard's.
#
# Root only; about a minute. In a mount and network namespace of its own: no runtime and no port of this machine is touched.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=scripts/tests/cri.sh
. scripts/tests/cri.sh

if [ "${1:-}" != inside ]; then
    [ "$(id -u)" -eq 0 ] || die "root is needed: a container that loads BPF programs"
    for tool in containerd ctr runc buildah busybox protoc grpc_python_plugin unshare curl jq; do
        command -v "$tool" >/dev/null || die "$tool is missing: scripts/setup.sh services installs it"
    done
    scripts/mounts.sh
    work=$(mktemp -d)
    # shellcheck disable=SC2317 # called by the trap
    cleanup() {
        buildah --storage-driver "${SENTINEL_STORAGE_DRIVER:-overlay}" rmi --force \
            "localhost/sentinel-"{agent,detector,dashboard}":$(basename "$work")" >/dev/null 2>&1 || true
        if [ -e "$work/pods.json" ]; then
            mapfile -t uids < <(jq -r '.[].uid' "$work/pods.json")
            cri_sweep "${uids[@]}"
        fi
        rm -rf "$work"
    }
    trap cleanup EXIT
    tag=$(basename "$work")
    scripts/images.sh --tag "$tag" --output "$work/images" agent detector dashboard
    # One image more, for the pods' own process and for the workload.
    mkdir -p "$work/tools/bin" "$work/tools/tmp"
    chmod 1777 "$work/tools/tmp"
    cp "$(command -v busybox)" "$work/tools/bin/busybox"
    for applet in sh sleep cp true; do ln -s busybox "$work/tools/bin/$applet"; done
    cri_image "$work/tools" "tools:$tag" "$work/images/tools.tar" '["/bin/sleep","2147483647"]'
    # Not exec: the traps are this shell's.
    unshare --mount --net --propagation slave "$0" inside "$work"
    exit
fi

work=$2
tag=$(basename "$work")
pods() { PYTHONPATH=$work/python /usr/bin/python3 scripts/tests/pods.py "$1" "$socket" "$work" "${@:2}"; }

finish() {
    [ -e "$work/ends.json" ] || pods end >/dev/null 2>&1 || true
    cri_stop
}
trap finish EXIT
cri_start "$work" "tools:$tag"

log() { # log POD: what its container wrote, without the runtime's mark before each line
    local file
    file=$(jq -r --arg pod "$1" '.[$pod].log // empty' "$work/pods.json" 2>/dev/null)
    if [ -n "$file" ]; then sed -E 's/^[^ ]+ std(out|err) [FP] //' "$file"; fi
}
wait_for() { # wait_for WHAT SECONDS COMMAND…
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            for pod in sentinel-agent sentinel-detector sentinel-dashboard; do log "$pod" | grep -v '^{' | tail -n 5 >&2 || true; done
            die "$what: $(tail -n 3 "$work/containerd.log")"
        fi
        sleep 0.2
    done
}
# On one network, where names of services are not known.
PATH=$(scripts/get-helm.sh):$PATH
helm template sentinel helm/sentinel --namespace security \
    --set global.imageRegistry=localhost --set "agent.image.tag=$tag" --set "detector.image.tag=$tag" --set "dashboard.image.tag=$tag" \
    --set agent.kubernetes=off --set 'agent.stream.mode={grpc,stdout}' --set agent.grpc.endpoint=127.0.0.1:50051 \
    --set 'dashboard.detectors={http://127.0.0.1:8090}' --set-json 'config.rules=[{"name":"programs","event":"exec"}]' \
    >"$work/chart.yaml"
cat >"$work/workload.yaml" <<MANIFEST
kind: Pod
metadata: {name: shop-1, namespace: shop}
spec:
  containers:
    - name: till
      image: localhost/tools:$tag
      command: [/bin/sh, -c, 'while :; do cp /bin/busybox /tmp/true; /tmp/true; sleep 1; done']
      securityContext: {runAsUser: 65534}
MANIFEST
pods run "$work/chart.yaml" "$work/workload.yaml"
container=$(jq -r '."shop-1".container' "$work/pods.json")
node=$(jq -r '."shop-1".node' "$work/pods.json")

for port in 9101/readyz 8090/healthz 8080/healthz; do
    wait_for "nobody answers at $port" 90 curl --fail --silent "http://127.0.0.1:$port"
done
say "containerd: the chart's pods run, as it asks for them."
process=$(ctr --address "$socket" --namespace k8s.io tasks ls | awk -v id="$(jq -r '."sentinel-agent".container' "$work/pods.json")" '$1 == id { print $2 }')
# BPF 39, PERFMON 38, SYS_NICE 23, SYS_PTRACE 19, DAC_READ_SEARCH 2; SYS_ADMIN 21 only where the kernel asks for it; no
# new rights.
rights=$(sed -nE 's/^(CapEff|CapBnd|NoNewPrivs):\t0*//p' "/proc/$process/status" | paste -sd ' ')
expected=c000880004
[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ] || expected=c000a80004
[ "$rights" = "$expected c000a80004 1" ] || die "the agent's rights are $rights"

# shellcheck disable=SC2317 # called by wait_for
seen() {
    log sentinel-agent | grep '^{' | jq --exit-status --slurp --arg id "$container" --arg node "$node" \
        'any(.[]; .event_type == "exec" and .container_id == $id and .hostname == $node and .pod == "shop-1" and .namespace == "shop"
            and .attributes["container.name"] == "till")'
}
wait_for "no exec event of the container till of pod shop-1 ($container)" 60 seen
# shellcheck disable=SC2317 # called by wait_for
told() { # told PORT: the alert of that pod
    curl --fail --silent "http://127.0.0.1:$1" |
        jq --exit-status 'any(.. | objects; has("rule_id") and .pod.name == "shop-1" and .pod.namespace == "shop" and .container.name == "till")'
}
wait_for "the detector has no alert of pod shop-1" 60 told 8090/api/alerts
wait_for "the dashboard has no alert of pod shop-1" 60 told 8080/api/alerts
say "containerd: the agent sees what another pod's container executes; detector and dashboard have the alert."

pods end
for pod in sentinel-agent sentinel-detector sentinel-dashboard; do
    [ "$(jq --arg pod "$pod" '.[$pod]' "$work/ends.json")" = 0 ] || die "$pod ends with $(cat "$work/ends.json")"
done
say "containerd: all end as they should."
