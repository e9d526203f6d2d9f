# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of the caller
# For cluster.sh: what the chart renders is accepted by the API server, in every case of helm/tests/cases; its pods are admitted,
# its accounts may what they must and no more, an upgrade is possible, and nothing is left of it.

# Kinds of others that the chart knows, with as much of their definitions as the server asks for.
define() { # define GROUP VERSION KIND PLURAL
    cat <<CRD
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: $4.$1, annotations: {api-approved.kubernetes.io: "unapproved, a test's"}}
spec:
  group: $1
  scope: Namespaced
  names: {kind: $3, plural: $4, singular: ${3,,}, listKind: $3List}
  versions:
    - name: $2
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
CRD
}
{
    define monitoring.coreos.com v1 ServiceMonitor servicemonitors
    define cert-manager.io v1 Certificate certificates
    define gateway.networking.k8s.io v1 HTTPRoute httproutes
} | kubectl apply -f - >/dev/null
kubectl wait --for condition=Established crd --all --timeout 30s >/dev/null

# A node, for pods of the DaemonSet to be made; there is no scheduler yet, so that none is bound to it.
kubectl create -f - >/dev/null <<NODE
{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "$NODE", "labels": {"kubernetes.io/os": "linux"}}}
NODE

helm package helm/sentinel --version 99.0.0 --app-version 99.0.0 --destination "$work" >/dev/null

# Nothing starts these pods: an upgrade makes the first of the new ones and waits.
# shellcheck disable=SC2317 # called by kube_until
admitted() { # admitted NAMESPACE: each workload has the pods that it wants, and some of them as it wants them now
    kubectl get daemonsets,deployments,statefulsets --namespace "$1" --output json | jq --exit-status '.items | length > 0 and all(
        .status.observedGeneration == .metadata.generation and
        (if .kind == "DaemonSet" then .status.updatedNumberScheduled == 1 else .status.replicas >= .spec.replicas and .status.updatedReplicas >= 1 end))'
}
# shellcheck disable=SC2317 # called by kube_until
left() { # left NAMESPACE: what is in it that Kubernetes has not put there itself; the claims with records stay, as they should
    ! kubectl get "$kinds" --namespace "$1" --output name --ignore-not-found 2>/dev/null |
        grep -vE '^(configmap/kube-root-ca.crt|serviceaccount/default|event(.events.k8s.io)?/.*|persistentvolumeclaim/(sentinel-agent-logs|history-.*))$'
}
kinds=$(kubectl api-resources --namespaced --verbs list --output name | grep -v '^pods.metrics' | paste -sd ,)

pods() { # pods: the pods that the objects on the input would have, by an account that is everywhere
    kubectl create --dry-run=client --output json -f - | jq --slurp '[.[] | if .kind == "List" then .items[] else . end] | {apiVersion: "v1", kind: "List", items: [.[] |
        (if .kind == "Pod" then {labels: .metadata.labels, spec} elif .spec.template.spec then
            {labels: .spec.template.metadata.labels, spec: (.spec.template.spec + {volumes: (.spec.template.spec.volumes +
                [.spec.volumeClaimTemplates[]?.metadata.name | {name: ., persistentVolumeClaim: {claimName: .}}])})} else empty end) |
        .spec.serviceAccountName = "default" |
        {apiVersion: "v1", kind: "Pod", metadata: {name: .labels["app.kubernetes.io/component"], labels}, spec}]}'
}
for level in restricted baseline privileged; do
    kubectl create namespace "$level" >/dev/null
    kubectl label namespace "$level" "pod-security.kubernetes.io/enforce=$level" >/dev/null
    kube_until "no account in $level" 30 kubectl get serviceaccount default --namespace "$level"
done
takes() { # takes LEVEL COMPONENT…: the pods in $work/pods.json that a namespace of that level takes are these
    local level=$1 found
    shift
    found=$(kubectl create --dry-run=server --namespace "$level" --output name -f "$work/pods.json" 2>"$work/out.txt" |
        sed 's|^pod/||' | sort | paste -sd ' ') || true
    [ "$found" = "$*" ] || die "$case: a namespace that enforces $level takes the pods '$found', not '$*': $(cat "$work/out.txt")"
}

count=0
for file in helm/tests/cases/*.yaml; do
    case=$(basename "$file" .yaml)
    kubectl create namespace "try-$case" >/dev/null
    quiet helm install sentinel helm/sentinel --namespace "try-$case" --values "$file"
    kube_until "$case: not all pods are admitted" 60 admitted "try-$case"
    # What the server would have said to a client that asks for every field to be known, once.
    helm get manifest sentinel --namespace "try-$case" >"$work/manifest.yaml"
    quiet kubectl apply --server-side --force-conflicts --dry-run=server --validate=strict --namespace "try-$case" -f "$work/manifest.yaml"
    helm get hooks sentinel --namespace "try-$case" | cat "$work/manifest.yaml" - | pods >"$work/pods.json"
    mapfile -t components < <(jq -r '.items[].metadata.name' "$work/pods.json" | sort)
    takes privileged "${components[@]}"
    mapfile -t others < <(printf '%s\n' "${components[@]}" | grep -vx agent)
    takes baseline "${others[@]}"
    takes restricted "${others[@]}"
    quiet helm upgrade sentinel helm/sentinel --namespace "try-$case" --values "$file" --set config.logLevel=warn
    quiet helm upgrade sentinel "$work/sentinel-99.0.0.tgz" --namespace "try-$case" --values "$file"
    kube_until "$case: not all pods are admitted after an upgrade" 60 admitted "try-$case"
    quiet helm rollback sentinel 1 --namespace "try-$case"
    count=$((count + 1))
done
step "$count cases of the chart are installed, upgraded, rolled back; only the agent's pods need a privileged namespace."

rights() { # rights NAMESPACE ACCOUNT
    kubectl auth can-i --list --namespace "$1" --as "system:serviceaccount:$1:$2" --as-group system:serviceaccounts \
        --as-group "system:serviceaccounts:$1" --as-group system:authenticated | sed -E 's/ +/ /g' | sort
}
for namespace in try-default kube-system; do
    for verb in get list watch; do
        kubectl auth can-i "$verb" pods --namespace "$namespace" --quiet --as system:serviceaccount:try-default:sentinel-agent ||
            die "the agent may not $verb pods of $namespace"
    done
done
for namespace in try-default try-nats; do
    more=$(comm -13 <(rights "$namespace" nobody) <(rights "$namespace" sentinel-agent))
    [ "$more" = "pods [] [] [get list watch]" ] || die "the agent's account may more, or less: $more"
    [ "$(rights "$namespace" nobody)" = "$(rights "$namespace" default)" ] || die "the account of detector and dashboard may: $(rights "$namespace" default)"
done
for asked in "list secrets" "create pods" "get nodes" "get pods --subresource log" "create pods --subresource exec" "delete pods" "list configmaps"; do
    # shellcheck disable=SC2086 # words
    ! kubectl auth can-i $asked --all-namespaces --quiet --as system:serviceaccount:try-default:sentinel-agent || die "the agent may $asked"
done
# Detector and dashboard are not even told who they are.
for component in detector dashboard test; do
    jq --exit-status --arg component "$component" 'all(.items[] | select(.metadata.name == $component); .spec.automountServiceAccountToken == false)' \
        "$work/pods.json" >/dev/null || die "a pod of $component has a token"
done
step "the agent's account may get, list and watch pods and nothing else; those of detector and dashboard may nothing."

for file in helm/tests/cases/*.yaml; do
    case=$(basename "$file" .yaml)
    quiet helm uninstall sentinel --namespace "try-$case"
done
for file in helm/tests/cases/*.yaml; do
    case=$(basename "$file" .yaml)
    kube_until "$case: something is left" 60 left "try-$case"
done
[ -z "$(kubectl get clusterroles,clusterrolebindings --selector app.kubernetes.io/instance=sentinel --output name)" ] || die "rights are left"
[ "$(kubectl get persistentvolumeclaims --all-namespaces --output name | wc -l)" = 4 ] || die "claims are not left"
kubectl delete node "$NODE" >/dev/null
for file in helm/tests/cases/*.yaml; do
    case=$(basename "$file" .yaml)
    kubectl delete namespace "try-$case" --wait=false >/dev/null
done
step "nothing is left of them but the claims with records."
