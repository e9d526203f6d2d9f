#!/usr/bin/env bash
# Sentinel in a real Kubernetes of one node (kube.sh), with RBAC: first every case of the chart against the API server alone
# (cluster-chart.sh), then the chart installed, all of it, and what happens to the agent when the API server fails
# (cluster-agent.sh).
#
#   scripts/tests/cluster.sh [chart|agent]     one of the two alone; KEEP=1 leaves the logs
#
# Root only; five minutes, and ten more where Kubernetes has yet to be built (get-kubernetes.sh). In a mount and network namespace
# of its own: no cluster, runtime or port of this machine is touched.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=scripts/tests/cri.sh
. scripts/tests/cri.sh
# shellcheck source=scripts/tests/kube.sh
. scripts/tests/kube.sh

if [ "${1:-}" != inside ]; then
    parts=("$@")
    [ $# -gt 0 ] || parts=(chart agent)
    for part in "${parts[@]}"; do
        [ -e "scripts/tests/cluster-$part.sh" ] || die "usage: cluster.sh [chart|agent], not '$part'"
    done
    [ "$(id -u)" -eq 0 ] || die "root is needed: a node that starts containers"
    for tool in containerd ctr runc buildah busybox unshare curl jq openssl iptables ip ss; do
        command -v "$tool" >/dev/null || die "$tool is missing: scripts/setup.sh services installs it"
    done
    [ -x /usr/lib/cni/ptp ] || die "/usr/lib/cni/ptp is missing: scripts/setup.sh services installs it"
    [ -z "$(find /sys/fs/cgroup -maxdepth 3 -name 'kubepods*' -print -quit)" ] || die "a kubelet works on this machine already"
    PATH=$(scripts/get-kubernetes.sh):$(scripts/get-helm.sh):$PATH
    export PATH
    scripts/mounts.sh
    work=$(mktemp -d)
    made=
    [ -e /var/lib/kubelet ] || made=/var/lib/kubelet
    # shellcheck disable=SC2317 # called by the trap
    cleanup() {
        buildah --storage-driver "${SENTINEL_STORAGE_DRIVER:-overlay}" rmi --force \
            "localhost/sentinel-"{agent,detector,dashboard}":$tag" >/dev/null 2>&1 || true
        # No other kubelet is here: what is called so is of ours.
        cri_sweep ''
        [ -z "$made" ] || rmdir "$made"
        if [ -n "${KEEP:-}" ]; then say "Left: $work."; else rm -rf "$work"; fi
    }
    tag=$(basename "$work")
    trap cleanup EXIT
    mkdir -p /var/lib/kubelet
    scripts/images.sh --tag "$tag" --output "$work/images" agent detector dashboard
    # One image more, for the pods' own process, the workloads and `helm test`.
    mkdir -p "$work/tools/bin" "$work/tools/tmp"
    chmod 1777 "$work/tools/tmp"
    cp "$(command -v busybox)" "$work/tools/bin/busybox"
    for applet in sleep cp true nc grep; do ln -s busybox "$work/tools/bin/$applet"; done
    # Debian's busybox faults in wget, which its shell would find before any other.
    for program in sh curl; do
        cp -L "$(command -v $program)" "$work/tools/bin/$program"
        ldd "$(command -v $program)" | grep -oE '/[^ ]+' | while read -r library; do install -D "$library" "$work/tools$library"; done
    done
    # shellcheck disable=SC2016 # that script's
    printf '#!/bin/sh\nexec curl --silent --fail --max-time "$3" --output "$5" "$6"\n' >"$work/tools/bin/wget"
    chmod 755 "$work/tools/bin/wget"
    cri_image "$work/tools" "tools:$tag" "$work/images/tools.tar" '["/bin/sleep","2147483647"]'
    # Not exec: the trap is this shell's.
    unshare --mount --net --propagation slave "$0" inside "$work" "${parts[@]}"
    exit
fi

work=$2
tag=$(basename "$work")
# What programs keep at home.
export HOME=$work/home
mkdir -p "$HOME"
trap kube_stop EXIT

quiet() { # quiet COMMAND…: succeeds, and nobody has warned
    "$@" >"$work/out.txt" 2>&1 || die "$*: $(cat "$work/out.txt")"
    ! grep -iE '^(warning|level=warn)' "$work/out.txt" >&2 || die "$*: a warning, see above"
}
step() { say "Cluster: $* ($SECONDS s)"; }

kube_start
step "the API server of Kubernetes $(kubectl version -o json | jq -r .serverVersion.gitVersion) is ready, with RBAC."
for part in "${@:3}"; do
    # shellcheck disable=SC1090 # those above
    . "scripts/tests/cluster-$part.sh"
done
