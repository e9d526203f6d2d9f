# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of the caller
# A Kubernetes of one node, of a test's own: etcd, API server with RBAC, controllers, and the node with scheduler, kubelet and
# kube-proxy on cri.sh's containerd. All in the mount and network namespace of the caller; nothing of the machine's is touched.
#
# $work is the caller's directory; logs are in $work/PROGRAM.log. KUBECONFIG is the administrator's.

NODE=node-1.example
# An address for documentation: no machine has it. Below, where pods find the server, and names.
SERVER=192.0.2.1
KUBERNETES=10.96.0.1
NAMES=10.96.0.10
declare -A running=()

kube_run() { # kube_run PROGRAM OPTION…: in the background
    "$@" >>"$work/$1.log" 2>&1 &
    running[$1]=$!
}

kube_end() { # kube_end SIGNAL PROGRAM
    [ -n "${running[$2]:-}" ] || return 0
    kill "-$1" "${running[$2]}" 2>/dev/null || true
    wait "${running[$2]}" 2>/dev/null || true
    unset "running[$2]"
}

kube_until() { # kube_until WHAT SECONDS COMMAND…
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >"$work/until.log" 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || die "$what: $(tail -n 5 "$work/until.log"; complaints)"
        sleep 0.3
    done
}

# The caller may say more.
complaints() { ! [ -e "$work/kubelet.log" ] || grep -E "^[EF]" "$work/kubelet.log" | tail -n 3 || true; }

kube_identity() { # kube_identity NAME USER [GROUP]: a kubeconfig $work/NAME.conf, by a token
    local token
    token=$(openssl rand -hex 16)
    printf '%s,%s,%s%s\n' "$token" "$2" "$1" "${3:+,$3}" >>"$work/tokens.csv"
    cat >"$work/$1.conf" <<CONFIG
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$SERVER:6443", certificate-authority: $work/pki/ca.crt}}]
users: [{name: me, user: {token: $token}}]
contexts: [{name: test, context: {cluster: test, user: me}}]
current-context: test
CONFIG
}

kube_certificate() { # kube_certificate NAME SUBJECT EXTENSIONS
    openssl req -newkey rsa:2048 -nodes -keyout "$work/pki/$1.key" -subj "$2" -out "$work/pki/$1.csr" 2>/dev/null
    openssl x509 -req -in "$work/pki/$1.csr" -CA "$work/pki/ca.crt" -CAkey "$work/pki/ca.key" -CAcreateserial -days 2 \
        -extfile <(printf 'basicConstraints=CA:FALSE\n%s\n' "$3") -out "$work/pki/$1.crt" 2>/dev/null
}

# kube_start: the control plane, without a scheduler.
kube_start() {
    mkdir -p "$work/pki" "$work/etcd"
    ip link set lo up
    ip address add "$SERVER/32" dev lo
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/pki/ca.key" -out "$work/pki/ca.crt" -days 2 -subj /CN=kubernetes 2>/dev/null
    kube_certificate server /CN=kube-apiserver \
        "subjectAltName=IP:$SERVER,IP:$KUBERNETES,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
    kube_certificate client /O=system:masters/CN=kube-apiserver-kubelet-client extendedKeyUsage=clientAuth
    openssl genrsa -out "$work/pki/account.key" 2048 2>/dev/null
    kube_identity admin admin system:masters
    kube_identity controllers system:kube-controller-manager
    kube_identity scheduler system:kube-scheduler
    kube_identity proxy system:kube-proxy
    kube_identity node "system:node:$NODE" system:nodes
    export KUBECONFIG=$work/admin.conf
    kube_run etcd --data-dir "$work/etcd" --listen-client-urls http://localhost:2379 --advertise-client-urls http://localhost:2379 \
        --listen-peer-urls http://localhost:2380 --unsafe-no-fsync
    # shellcheck disable=SC2119
    kube_server
    kube_run kube-controller-manager --kubeconfig "$work/controllers.conf" --leader-elect=false --use-service-account-credentials \
        --service-account-private-key-file "$work/pki/account.key" --root-ca-file "$work/pki/ca.crt" --bind-address 127.0.0.1
    kube_until "the controllers do not work" 60 kubectl get serviceaccount default
}

# shellcheck disable=SC2120 # options, sometimes
# kube_server OPTION…: the API server, as kubeadm starts it where it matters here; returns when it is ready.
kube_server() {
    kube_run kube-apiserver --etcd-servers http://localhost:2379 --advertise-address "$SERVER" --bind-address "$SERVER" --secure-port 6443 \
        --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
        --client-ca-file "$work/pki/ca.crt" --tls-cert-file "$work/pki/server.crt" --tls-private-key-file "$work/pki/server.key" \
        --kubelet-client-certificate "$work/pki/client.crt" --kubelet-client-key "$work/pki/client.key" \
        --kubelet-preferred-address-types InternalIP --token-auth-file "$work/tokens.csv" --service-cluster-ip-range 10.96.0.0/16 \
        --service-account-issuer https://kubernetes --service-account-key-file "$work/pki/account.key" \
        --service-account-signing-key-file "$work/pki/account.key" "$@"
    kube_until "the API server does not start" 120 kubectl get --raw /readyz
}

# kube_node TOOLS: the node; TOOLS is the image of each pod's own process.
kube_node() {
    mkdir -p "$work/networks" "$work/static" "$work/sysctl"
    cat >"$work/networks/pods.conflist" <<CONFIG
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": {"type": "host-local", "dataDir": "$work/addresses",
  "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CONFIG
    CRI_NETWORKS=$work/networks cri_start "$work" "$1"
    # The kubelet sets these for the whole machine; here it finds them as it wants them.
    local place value
    while read -r place value; do
        printf '%s\n' "$value" >"$work/sysctl/${place##*/}"
        mount --bind "$work/sysctl/${place##*/}" "/proc/sys/$place"
    done <<SETTINGS
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SETTINGS
    # Places that cannot be chosen: of plugins, and of links to logs.
    for place in /var/lib/kubelet /var/log; do mount -t tmpfs tmpfs "$place"; done
    cat >"$work/kubelet.yaml" <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $work/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
clusterDNS: ["$NAMES"]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$socket
failSwapOn: false
staticPodPath: $work/static
podLogsDir: $work/logs
volumePluginDir: $work/plugins
resolvConf: ""
# Whatever else fills this machine.
evictionHard: {memory.available: 1Mi, nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%", imagefs.inodesFree: "0%"}
imageGCHighThresholdPercent: 100
# One file a container, for who reads it from a line on.
containerLogMaxSize: 1Gi
# A change of a ConfigMap or a Secret is on the node soon.
syncFrequency: 10s
CONFIG
    ip address add "$NAMES/32" dev lo
    kube_run kube-scheduler --kubeconfig "$work/scheduler.conf" --leader-elect=false --bind-address 127.0.0.1
    kube_run kube-proxy --kubeconfig "$work/proxy.conf" --hostname-override "$NODE" --proxy-mode iptables --cluster-cidr 10.244.0.0/16 \
        --conntrack-max-per-core 0
    kube_run kubelet --kubeconfig "$work/node.conf" --config "$work/kubelet.yaml" --hostname-override "$NODE" --node-ip "$SERVER" \
        --cert-dir "$work/pki/kubelet"
    /usr/bin/python3 scripts/tests/names.py "$NAMES" >>"$work/names.log" 2>&1 &
    running[names]=$!
    kube_until "the node does not become ready" 60 kubectl wait --for condition=Ready "node/$NODE" --timeout 1s
}

# kube_cut ADDRESS: breaks the connections of the pod at ADDRESS with the API server, as a network does.
kube_cut() { ss --kill --no-header --tcp state established src "$SERVER:6443" dst "$1" >/dev/null; }

kube_stop() {
    local program
    # The server would wait for whoever watches, for a minute.
    for program in kubelet kube-proxy names kube-scheduler kube-controller-manager kube-apiserver etcd; do kube_end KILL "$program"; done
    if [ -n "$containerd" ]; then
        ctr --address "$socket" --namespace k8s.io tasks ls --quiet 2>/dev/null |
            xargs --no-run-if-empty -n 1 ctr --address "$socket" --namespace k8s.io tasks delete --force >/dev/null 2>&1 || true
        cri_stop
    fi
}
