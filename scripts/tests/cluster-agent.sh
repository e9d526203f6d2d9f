# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of the caller
# For cluster.sh: the chart installed on a node; what a workload does is told with its pod, owner, labels and account, whatever
# happens to the API server, the agent's rights and its token.

kube_node "tools:$tag"
step "the node is ready."

kubectl create namespace security >/dev/null
kubectl label namespace security pod-security.kubernetes.io/enforce=privileged >/dev/null
cat >"$work/values.yaml" <<VALUES
global: {imageRegistry: localhost}
agent:
  image: {tag: $tag}
  stream: {mode: [grpc, stdout]}
detector: {image: {tag: $tag}}
dashboard: {image: {tag: $tag}}
config: {rules: [{name: programs, event: exec}]}
tests: {image: "localhost/tools:$tag"}
detection:
  extraRules:
    team.yaml: |
      - rule: Program of a team
        desc: It says the labels as they are now.
        condition: evt.type in (execve, execveat) and k8s.pod.label[team] exists
        output: "team=%k8s.pod.label[team] deployment=%k8s.deployment.name"
        priority: INFO
VALUES
helm install sentinel helm/sentinel --namespace security --values "$work/values.yaml" --wait --timeout 4m >"$work/out.txt" 2>&1 ||
    die "the chart does not become ready: $(cat "$work/out.txt"; kubectl get pods --namespace security; kubectl get events --namespace security | tail)"
step "helm install: DaemonSet and Deployments are ready."
helm test sentinel --namespace security --timeout 2m >"$work/out.txt" 2>&1 || die "helm test: $(cat "$work/out.txt")"
step "helm test: the services answer by their names."
kubectl create namespace central >/dev/null
kubectl label namespace central pod-security.kubernetes.io/enforce=restricted >/dev/null
quiet helm install sentinel helm/sentinel --namespace central --values "$work/values.yaml" --set agent.enabled=false --wait --timeout 2m
quiet helm uninstall sentinel --namespace central
step "detector and dashboard are ready in a namespace that allows pods nothing."

address() { # address COMPONENT
    kubectl get pods --namespace security --selector "app.kubernetes.io/component=$1" --output jsonpath='{.items[0].status.podIP}'
}
agent=$(address agent) detector=$(address detector) dashboard=$(address dashboard)

# What the agent writes: from its files, since the API server may be away.
lines() { cat "$work"/logs/security_sentinel-agent-*/agent/*.log | sed -E 's/^[^ ]+ std(out|err) [FP] //'; }
mark() { since=$(($(lines | wc -l) + 1)); }
later() { lines | tail -n "+$since"; }
complaints() { lines | grep -v '^{' | tail -n 8; }
# shellcheck disable=SC2317 # called by kube_until
says() { later | grep -v '^{' | grep -F -- "$1"; }
counter() { # counter RESULT
    curl --fail --silent "http://$agent:9102/metrics" | sed -n "s/^sentinel_pod_requests_total{result=\"$1\"} //p"
}
# shellcheck disable=SC2317 # called by kube_until
grown() { [ "$(counter "$1")" -gt "$2" ]; }
# shellcheck disable=SC2317 # called by kube_until
event() { # event POD CONTAINER KIND OWNER ACCOUNT: a program of it, since `mark`, with everything that is known of it
    later | grep '^{"' | jq --exit-status --slurp --arg node "$NODE" --arg pod "$1" --arg container "$2" --arg kind "$3" --arg owner "$4" --arg account "$5" \
        'any(.[]; .event_type == "exec" and (.pod // "" | startswith($pod)) and .namespace == "shop" and .hostname == $node and
            (.attributes | .["container.name"] == $container and .["k8s.owner.kind"] == $kind and .["k8s.owner.name"] == $owner and
            (.["k8s.pod.service_account"] // "") == $account))'
}
# shellcheck disable=SC2317 # called by kube_until
team() { # team NAME: an alert, since `mark`, says that this is the label
    curl --fail --silent "http://$detector:8090/api/alerts" | jq --exit-status --arg output "team=$1 deployment=till" \
        'any(.. | objects; .pod.namespace == "shop" and .reason == $output)'
}

# The cluster's most careful namespace; a workload as people write it, and a pod from a file of the node.
kubectl create namespace shop >/dev/null
kubectl label namespace shop pod-security.kubernetes.io/enforce=restricted >/dev/null
kubectl create serviceaccount cashier --namespace shop >/dev/null
mark
kubectl apply -f - >/dev/null <<WORKLOAD
apiVersion: apps/v1
kind: Deployment
metadata: {name: till, namespace: shop}
spec:
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till, team: red}}
    spec:
      serviceAccountName: cashier
      securityContext: {runAsUser: 65534, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: drawer
          image: localhost/tools:$tag
          command: [/bin/sh, -c, 'while :; do cp /bin/busybox /tmp/true; /tmp/true; sleep 1; done']
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
WORKLOAD
kube_until "no exec event of the Deployment's pod" 60 event till- drawer Deployment till cashier
kube_until "no alert with the pod's labels" 60 team red
# shellcheck disable=SC2317 # called by kube_until
told() { # told ADDRESS: the stock rules' alert of that pod
    curl --fail --silent "http://$1/api/alerts" |
        jq --exit-status 'any(.. | objects; has("rule_id") and .rule_id != "program_of_a_team" and (.pod.name // "" | startswith("till-")) and .container.name == "drawer")'
}
kube_until "the detector has no alert of the pod" 60 told "$detector:8090"
kube_until "the dashboard has no alert of the pod" 60 told "$dashboard:8080"
step "a Deployment's program is told with pod, owner, account, labels; detector and dashboard have its alert."
cat >"$work/static/scale.yaml" <<STATIC
apiVersion: v1
kind: Pod
metadata: {name: scale, namespace: shop}
spec:
  containers: [{name: weigh, image: "localhost/tools:$tag", command: [/bin/sh, -c, 'while :; do /bin/true; sleep 1; done'],
    securityContext: {runAsUser: 65534, runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}}]
STATIC
kube_until "no exec event of the static pod" 60 event scale- weigh Node "$NODE" ""
step "a pod from a file of the node is told as the node's."

label() { kubectl label pods --namespace shop --selector app=till --overwrite "team=$1" >/dev/null; }

# The server dies. What is known stays; when it is back, what has changed is heard.
mark
kube_end KILL kube-apiserver
kube_until "the agent does not say that the server is away" 60 says "Kubernetes does not tell of pods"
mark
kube_until "what is known does not stay while the server is away" 30 event till- drawer Deployment till cashier
kube_server
kube_until "the agent does not come back" 90 says "Kubernetes tells of pods again"
label blue
kube_until "no change is heard after the server came back" 60 team blue
[ "$(counter failed)" -gt 0 ] || die "no failure is counted"
step "the API server was killed and started: what was known stayed, the agent came back."

# Rights are taken away; a watch that is under way goes on, so it is broken.
kubectl get clusterrolebinding security-sentinel-agent --output json | jq 'del(.metadata.uid, .metadata.resourceVersion)' >"$work/binding.json"
kubectl delete clusterrolebinding security-sentinel-agent >/dev/null
mark
kube_cut "$agent"
kube_until "the agent does not say which right it misses" 60 says "it needs a ClusterRole with get, list and watch on pods"
mark
kube_until "what is known does not stay without rights" 30 event till- drawer Deployment till cashier
label green
kubectl create -f "$work/binding.json" >/dev/null
kube_until "the agent does not come back with its rights" 90 says "Kubernetes tells of pods again"
kube_until "no change is heard after the rights came back" 60 team green
step "rights were taken away and given back: the agent said which, and came back."

# The token is spoilt; the kubelet writes the right one again, as it does with a renewed one.
volume=$(echo /var/lib/kubelet/pods/"$(kubectl get pods --namespace security --selector app.kubernetes.io/component=agent --output jsonpath='{.items[0].metadata.uid}')"/volumes/kubernetes.io~projected/kube-api-access-*)
# shellcheck disable=SC2317 # called by kube_until
refused() { # Again and again, since the kubelet may be faster than the agent.
    printf 'spoilt' >"$volume/..data/token"
    kube_cut "$agent"
    says "it does not accept our token"
}
mark
kube_until "the agent does not say that its token is not accepted" 60 refused
label white
kube_until "the agent does not come back with its new token" 180 says "Kubernetes tells of pods again"
kube_until "no change is heard after the token was renewed" 60 team white
step "a token that the server does not accept was replaced: the agent came back."

# The server forgets where the agent was: etcd is compacted while nobody watches, and nothing is answered from memory.
gone=$(counter gone)
kube_end KILL kube-apiserver
etcd() { curl --fail --silent --data "$2" "http://localhost:2379/v3/kv/$1"; }
revision=$(etcd put '{"key": "eA==", "value": "eA=="}' | jq -r .header.revision)
etcd compaction "{\"revision\": $revision, \"physical\": true}" >/dev/null
mark
kube_server --watch-cache=false
label black
kube_until "the agent does not notice that its version is too old" 90 grown gone "$gone"
kube_until "no change is heard after the versions were forgotten" 60 team black
step "etcd was compacted: the pods were listed again ($(counter gone) times gone, $(counter failed) failures, $(counter malformed) malformed)."
[ "$(counter malformed)" = 0 ] || die "what the server says makes no sense to the agent"

quiet helm upgrade sentinel helm/sentinel --namespace security --values "$work/values.yaml" --set config.logLevel=debug --wait --timeout 4m
kubectl rollout status --namespace security --timeout 60s daemonset/sentinel-agent >/dev/null
step "helm upgrade: all pods are replaced and ready."
rm "$work/static/scale.yaml"
quiet helm uninstall sentinel --namespace security --wait
kubectl delete namespace shop security --timeout 120s >/dev/null
kube_until "a pod is left" 60 test -z "$(ctr --address "$socket" --namespace k8s.io tasks ls --quiet)"
step "helm uninstall: everything ends."
