#!/usr/bin/env bash
# The agent alone in an existing cluster, writing EVT1 records to a claim: for collecting before deciding. It first asks the
# cluster whether all of it is permitted, and changes nothing when something is not.
#
#   scripts/deploy-probe.sh [--dry-run] [OPTION OF HELM…]
#
# Environment: NAMESPACE (sentinel-ebpf), RELEASE (sentinel-probe), AGENT_IMAGE (sentinel-agent), AGENT_TAG (the chart's
# version), PVC_SIZE (10Gi), PVC_CLASS (the cluster's default), PVC_MODE (ReadWriteMany), COMPRESS (false),
# KUBE_CONTEXT (the current one), TIMEOUT (300, seconds).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

NAMESPACE=${NAMESPACE:-sentinel-ebpf}
RELEASE=${RELEASE:-sentinel-probe}
AGENT_IMAGE=${AGENT_IMAGE:-sentinel-agent}
AGENT_TAG=${AGENT_TAG:-}
PVC_SIZE=${PVC_SIZE:-10Gi}
PVC_CLASS=${PVC_CLASS:-}
PVC_MODE=${PVC_MODE:-ReadWriteMany}
COMPRESS=${COMPRESS:-false}
TIMEOUT=${TIMEOUT:-300}

options=()
for argument in "$@"; do
    case $argument in
    --dry-run) DRY_RUN=1 ;;
    *) options+=("$argument") ;;
    esac
done
for tool in kubectl helm; do
    command -v "$tool" >/dev/null || die "$tool is missing: put it into the PATH"
done
context=${KUBE_CONTEXT:-$(kubectl config current-context 2>/dev/null || true)}
[ -n "$context" ] || die "there is no current cluster: set KUBE_CONTEXT, or run kubectl config use-context"
kube() { kubectl --context "$context" "$@"; }
kube version --request-timeout=10s >/dev/null 2>&1 || die "the cluster of context $context does not answer"

# What installing takes; a namespace only when it is missing.
needed=(
    "create daemonsets.apps" "create configmaps" "create services" "create serviceaccounts" "create secrets"
    "create persistentvolumeclaims" "create clusterroles.rbac.authorization.k8s.io"
    "create clusterrolebindings.rbac.authorization.k8s.io"
)
if ! kube get namespace "$NAMESPACE" >/dev/null 2>&1; then needed+=("create namespaces"); fi
refused=()
for right in "${needed[@]}"; do
    read -r verb resource <<<"$right"
    kube auth can-i "$verb" "$resource" --namespace "$NAMESPACE" >/dev/null 2>&1 || refused+=("$right")
done
if [ ${#refused[@]} -gt 0 ]; then
    say "Not permitted in context $context, namespace $NAMESPACE:"
    printf '      %s\n' "${refused[@]}" >&2
    die "ask an administrator of the cluster for these rights; nothing was changed"
fi
# A namespace that enforces a pod security standard would refuse a pod that sees the node's processes.
level=$(kube get namespace "$NAMESPACE" --output 'jsonpath={.metadata.labels.pod-security\.kubernetes\.io/enforce}' 2>/dev/null || true)
case $level in "" | privileged) ;; *)
    die "namespace $NAMESPACE enforces pod security '$level': label it pod-security.kubernetes.io/enforce=privileged, or choose another NAMESPACE"
    ;;
esac

say "Installing $RELEASE into $NAMESPACE of $context."
change helm upgrade --install "$RELEASE" helm/sentinel --kube-context "$context" --namespace "$NAMESPACE" \
    --create-namespace --wait --timeout "${TIMEOUT}s" \
    --set detector.enabled=false --set dashboard.enabled=false --set agent.stream.mode=file \
    --set "agent.stream.file.compress=$COMPRESS" \
    --set "agent.image.repository=$AGENT_IMAGE" --set-string "agent.image.tag=$AGENT_TAG" \
    --set agent.storage.pvc.enabled=true --set "agent.storage.pvc.size=$PVC_SIZE" \
    --set-string "agent.storage.pvc.storageClassName=$PVC_CLASS" --set "agent.storage.pvc.accessModes={$PVC_MODE}" \
    "${options[@]}"
dry_run && exit 0
kube --namespace "$NAMESPACE" rollout status daemonset --selector app.kubernetes.io/component=agent --timeout "${TIMEOUT}s"
say "Records are in the claim, a directory for each node; sentinel decode reads them."
