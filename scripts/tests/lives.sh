#!/usr/bin/env bash
# Who did it, on containerd by the interface that Kubernetes uses (CRI): containers that live 5 ms, 50 ms and 5 s in a pod. Every
# event of each, from the first to the last, must carry its id, name, image, pod and user. Then COUNT containers (500), one after
# the other: what its tables hold must go again, and its memory come back to what it was, within a tenth.
#
# Root only, with the release agent; three minutes, most of them containerd's. `lives.sh COUNT`
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=scripts/tests/cri.sh
. scripts/tests/cri.sh

if [ "${1:-}" != inside ]; then
    [ "$(id -u)" -eq 0 ] || die "root is needed: an agent that loads BPF programs, and containers"
    for tool in cc containerd ctr runc buildah protoc grpc_python_plugin unshare curl jq; do
        command -v "$tool" >/dev/null || die "$tool is missing: scripts/setup.sh services installs it"
    done
    scripts/mounts.sh
    work=$(mktemp -d)
    # shellcheck disable=SC2317 # called by the trap
    cleanup() {
        if [ -e "$work/pods.json" ]; then
            mapfile -t uids < <(jq -r '.[].uid' "$work/pods.json")
            cri_sweep "${uids[@]}"
        fi
        rm -rf "$work"
    }
    trap cleanup EXIT
    mkdir -p "$work/root/etc" "$work/images" "$work/logs"
    # Opens /first, sleeps so many milliseconds, opens /last; the pod's own process (pause) for ever.
    cat >"$work/program.c" <<'PROGRAM'
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc < 2)
		for (;;)
			pause();
	open("/first", O_RDONLY);
	usleep(1000 * atoi(argv[1]));
	open("/last", O_RDONLY);
	return 0;
}
PROGRAM
    cc -static -Os -o "$work/root/program" "$work/program.c"
    printf 'root:x:0:0::/:\nwebuser:x:4242:4343::/srv:/bin/none\n' >"$work/root/etc/passwd"
    printf 'root:x:0:\nwebgroup:x:4343:\n' >"$work/root/etc/group"
    cri_image "$work/root" "lives:$(basename "$work")" "$work/images/lives.tar" '["/program"]'
    # Not exec: the traps are this shell's.
    unshare --mount --net --propagation slave "$0" inside "$work" "${1:-500}"
    exit
fi

work=$2 count=$3
image=localhost/lives:$(basename "$work")
agent=
# shellcheck disable=SC2317 # called by the trap
finish() {
    [ -z "$agent" ] || { kill "$agent" && wait "$agent"; } 2>/dev/null || true
    cri_stop
}
trap finish EXIT
cri_start "$work" "${image#localhost/}"

cat >"$work/agent.yaml" <<CONFIG
detection: {rules: []}
enrichment: {sockets: [$socket], kubernetes: "off"}
rulesFile: $work/forward.yaml
CONFIG
cat >"$work/forward.yaml" <<'RULES'
rules:
  - {name: starts, event: exec}
  - {name: ends, event: exit}
  - {name: opens, event: file_open, match: {pathPrefixes: [/first, /last]}}
RULES
"${SENTINEL_AGENT:-${CARGO_TARGET_DIR:-target}/release/sentinel-agent}" --config "$work/agent.yaml" >"$work/events" 2>"$work/agent.log" &
agent=$!
deadline=$((SECONDS + 90))
until curl --fail --silent --output /dev/null http://127.0.0.1:9101/readyz; do
    { kill -0 "$agent" && [ "$SECONDS" -lt "$deadline" ]; } || die "the agent is not ready: $(tail -n 5 "$work/agent.log")"
    sleep 0.2
done
lives() { PYTHONPATH=$work/python /usr/bin/python3 scripts/tests/lives.py "$socket" "$work" "$image" "$@"; }

lives blink:5 moment:50 while:5000 >"$work/ids"
# The last event comes within a moment; what is missing then is missing.
sleep 2
while read -r name id; do
    jq --null-input --exit-status --arg id "$id" --arg name "$name" --arg image "${image%:*}" --arg tag "${image##*:}" '
        [inputs] as $all
        | ($all | map(select(.container_id == $id) | .attributes["sentinel.cgroup_id"]) | unique) as $cgroups
        | $all | map(select(.attributes["sentinel.cgroup_id"] | IN($cgroups[]))) as $events
        | def whole: .container_id == $id and .pod == "shop-1" and .namespace == "shop" and (.attributes
              | .["container.name"] == $name and .["container.type"] == "containerd" and .["sentinel.metadata"] == null
                and .["container.image.repository"] == $image and .["container.image.tag"] == $tag
                and .["user.name"] == ({"0": "root", "4242": "webuser"}[.["user.uid"]]));
        def told: map(select(.attributes["proc.exepath"] == "/program")
            | if .event_type == "file_open" then .data.filename else .event_type end);
        if ($events | all(whole)) and ($events | told) == ["exec", "/first", "/last", "exit"] then true
        else ($events | map(select(whole | not)) | .[:2]), ($events | told) | debug | false end' \
        "$work/events" >/dev/null || die "$name ($id): not every event says whose it is"
done <"$work/ids"
say "containerd: every event of containers of 5 ms, 50 ms and 5 s carries id, name, image, pod and user."

memory() { awk '/^VmRSS/ { print $2 }' "/proc/$agent/status"; }
known() { curl --fail --silent http://127.0.0.1:9102/metrics | awk '/^sentinel_table_entries{table="(containers|workloads|runtimes|users)"}/ { sum += $2 } END { print sum }'; }
# What has gone stays known for half a minute; what the first hundred fill (tables, buffers) stays.
lives 100
sleep 35
before=$(memory) few=$(known)
lives "$count"
sleep 2
many=$(known)
sleep 33
after=$(memory) left=$(known)
say "containerd: the agent had $before KiB and $few entries before $count containers, and has $after KiB and $left entries ($many at their end)."
[ "$many" -gt "$few" ] || die "the tables do not tell what they hold"
[ "$left" -le $((few + 20)) ] || die "containers that have gone are not forgotten: $few, $many, then $left entries"
[ "$after" -le $((before + before / 10)) ] || die "memory grows with containers that have gone: $before to $after KiB"
