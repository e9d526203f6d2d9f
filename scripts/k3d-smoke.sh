#!/usr/bin/env bash
# The whole of it in a throw-away cluster: images, cluster (k3d), chart; then a pod writes to /etc/hosts, and the detector
# must log the anomaly.
#
#   scripts/k3d-smoke.sh [--keep] [--dry-run]
#
# --keep     leaves the cluster for a look
# --dry-run  says what would be done
# Environment: CLUSTER (sentinel-smoke), NAMESPACE (sentinel), TAG (smoke), IMAGES (directory of image archives named
# sentinel-agent.tar …, e.g. of `nix build .#image-agent`; made by scripts/images.sh when empty), TIMEOUT (300, seconds).
# On failure what the pods said is left in $LOGS (k3d-smoke-logs).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

CLUSTER=${CLUSTER:-sentinel-smoke}
NAMESPACE=${NAMESPACE:-sentinel}
TAG=${TAG:-smoke}
IMAGES=${IMAGES:-}
TIMEOUT=${TIMEOUT:-300}
LOGS=${LOGS:-k3d-smoke-logs}
PROGRAMS=(agent detector dashboard)

keep=no
for argument in "$@"; do
    case $argument in
    --keep) keep=yes ;;
    --dry-run) DRY_RUN=1 ;;
    *)
        printf "usage: k3d-smoke.sh [--keep] [--dry-run], not '%s'\n" "$argument" >&2
        exit 2
        ;;
    esac
done
for tool in docker k3d helm kubectl; do
    command -v "$tool" >/dev/null || die "$tool is missing: run scripts/k3d-setup.sh"
done
kube() { kubectl --context "k3d-$CLUSTER" --namespace "$NAMESPACE" "$@"; }

made=no
# shellcheck disable=SC2317 # called by the trap
finish() {
    local code=$?
    if [ "$code" -ne 0 ] && [ "$made" = yes ] && ! dry_run; then
        say "Failed. What the pods said is in $LOGS/."
        mkdir -p "$LOGS"
        kube get pods,events --output wide >"$LOGS/objects.txt" 2>&1 || true
        local program
        for program in "${PROGRAMS[@]}"; do
            kube logs --selector "app.kubernetes.io/component=$program" --all-containers --prefix --tail -1 \
                >"$LOGS/$program.txt" 2>&1 || true
        done
    fi
    if [ "$made" = yes ] && [ "$keep" = no ]; then
        change k3d cluster delete "$CLUSTER" || true
    fi
    exit "$code"
}
trap finish EXIT

# Images: given, or made here. buildah is the way without a Dockerfile; what docker has by that tag is used as it is.
archives=()
if [ -n "$IMAGES" ]; then
    for program in "${PROGRAMS[@]}"; do
        archive=$IMAGES/sentinel-$program.tar
        [ -e "$archive" ] || die "$archive is missing: IMAGES must hold an archive for each of ${PROGRAMS[*]}"
        archives+=("$archive")
    done
elif command -v buildah >/dev/null; then
    IMAGES=target/images
    change scripts/images.sh --tag "$TAG" --output "$IMAGES"
    for program in "${PROGRAMS[@]}"; do archives+=("$IMAGES/sentinel-$program.tar"); done
else
    # No buildah: a Dockerfile of three lines, by buildx or, where that is missing, by docker's legacy builder.
    builder=(docker build)
    if docker buildx version >/dev/null 2>&1; then
        builder=(docker buildx build --load)
    else
        say "Warning: docker buildx is missing; using the legacy builder."
    fi
    for program in "${PROGRAMS[@]}"; do
        context=$(mktemp -d)
        dry_run || cp "${CARGO_TARGET_DIR:-target}/release/sentinel-$program" "$context/" || die "run make build"
        printf 'FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends libelf1 zlib1g\nCOPY sentinel-%s /bin/\nENTRYPOINT ["/bin/sentinel-%s"]\n' \
            "$program" "$program" >"$context/Dockerfile"
        change "${builder[@]}" --tag "localhost/sentinel-$program:$TAG" "$context"
        rm -rf "$context"
        archives+=("localhost/sentinel-$program:$TAG")
    done
fi

if k3d cluster list --no-headers 2>/dev/null | awk '{ print $1 }' | grep -x -- "$CLUSTER" >/dev/null; then
    say "The cluster $CLUSTER is there already: using it."
else
    change k3d cluster create "$CLUSTER" --wait --timeout "${TIMEOUT}s" \
        --volume /sys/kernel/tracing:/sys/kernel/tracing@all --volume /sys/fs/bpf:/sys/fs/bpf@all \
        --volume /sys/kernel/security:/sys/kernel/security@all
fi
made=yes
change k3d image import --cluster "$CLUSTER" "${archives[@]}"

# The detector has to judge what it gets: the nodes' own rules stay off.
change helm upgrade --install sentinel helm/sentinel --kube-context "k3d-$CLUSTER" \
    --namespace "$NAMESPACE" --create-namespace --wait --timeout "${TIMEOUT}s" \
    --set global.imageRegistry=localhost --set-json 'detection.rules=[]' --set-json 'detector.engines=["rules"]' \
    --set "agent.image.tag=$TAG" --set "detector.image.tag=$TAG" --set "dashboard.image.tag=$TAG"

change kube delete pod smoke --ignore-not-found --wait
change kube run smoke --image rancher/mirrored-library-busybox:1.36.1 --restart Never -- \
    sh -c 'cat /etc/hosts >/dev/null; echo "# smoke" >> /etc/hosts; sleep 30'
if dry_run; then
    say "Then: waits up to $TIMEOUT s for the detector to log the anomaly."
    exit 0
fi
deadline=$((SECONDS + TIMEOUT))
until kube logs --selector app.kubernetes.io/component=detector --tail -1 | grep -i anomaly | grep /etc/hosts; do
    [ "$SECONDS" -lt "$deadline" ] || die "the detector did not log the write to /etc/hosts within $TIMEOUT s"
    sleep 2
done
say "The detector logged the anomaly: everything works together."
