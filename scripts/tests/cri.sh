# shellcheck shell=bash
# A containerd of a test's own, by the interface that Kubernetes uses, for the scripts beside this. They run in a mount and network
# namespace of their own: no runtime of the machine is touched.

socket=/run/containerd/containerd.sock
containerd=

# cri_image ROOT NAME FILE [COMMAND]: an image of the files below ROOT, for `cri_start`. COMMAND as a JSON list.
cri_image() {
    local driver=(--storage-driver "${SENTINEL_STORAGE_DRIVER:-overlay}") container
    container=$(buildah "${driver[@]}" from scratch)
    buildah "${driver[@]}" copy --quiet "$container" "$1" / >/dev/null
    [ $# -lt 4 ] || buildah "${driver[@]}" config --entrypoint "$4" "$container"
    buildah "${driver[@]}" commit --quiet --rm "$container" "localhost/$2" >/dev/null
    buildah "${driver[@]}" push --quiet "localhost/$2" "docker-archive:$3:localhost/$2"
    buildah "${driver[@]}" rmi --force "localhost/$2" >/dev/null
}

# cri_start WORK IMAGE: containerd with the images of WORK/images/*.tar; IMAGE is the process of each pod. It listens at
# `socket`; python's code of cri.proto is in WORK/python. CRI_NETWORKS is a directory with networks of pods, if they are to have any.
cri_start() {
    local work=$1
    # The agent sees the runtime in the node's /run, which it is given as the node's mounts change.
    mount --make-rshared /
    mount -t tmpfs tmpfs /run
    ip link set lo up
    mkdir -p /run/containerd "$work/python"
    cat >"$work/containerd.toml" <<CONFIG
version = 2
root = "$work/containerd"
state = "/run/containerd/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/$2"
  # Not every machine lets us raise it.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${CRI_NETWORKS:-$work/none}"
CONFIG
    protoc --proto_path=scripts/tests --python_out="$work/python" --grpc_python_out="$work/python" \
        --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" cri.proto
    containerd --config "$work/containerd.toml" >"$work/containerd.log" 2>&1 &
    containerd=$!
    local deadline=$((SECONDS + 30))
    until ctr --address "$socket" version >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || die "containerd does not start: $(tail -n 3 "$work/containerd.log")"
        sleep 0.2
    done
    local image
    for image in "$work"/images/*.tar; do ctr --address "$socket" --namespace k8s.io images import "$image" >/dev/null; done
}

# cri_stop: ends what `cri_start` began.
cri_stop() {
    [ -z "$containerd" ] || { kill "$containerd" && wait "$containerd"; } 2>/dev/null || true
    umount --lazy /run || true
}

# cri_sweep UID…: what containerd and runc leave of the pods' control groups.
cri_sweep() {
    local uid
    for uid in "$@"; do
        find /sys/fs/cgroup -depth -type d -path "*/kubepods/*pod$uid*" -exec rmdir {} + 2>/dev/null || true
    done
    find /sys/fs/cgroup -maxdepth 3 -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null || true
}
