#!/usr/bin/env bash
# The images as containers: made by scripts/images.sh from the release programs, run by podman with the rights and mounts
# that the chart gives, read-only. The agent must see what another container executes, by that container's id and name.
# Root only; about 15 s. SENTINEL_STORAGE_DRIVER as in images.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

[ "$(id -u)" -eq 0 ] || die "root is needed: a container that loads BPF programs"
for tool in podman buildah runc jq; do
    command -v "$tool" >/dev/null || die "$tool is missing: apt-get install podman buildah runc jq"
done
programs=${CARGO_TARGET_DIR:-target}/release
scripts/mounts.sh

tag=test-$$
name=sentinel-test-$$
work=$(mktemp -d)
# runc, and limits that need no right to raise any: this also runs inside machines that are containers themselves.
podman=(podman --storage-driver "${SENTINEL_STORAGE_DRIVER:-overlay}" --runtime runc --cgroup-manager cgroupfs)
run=("${podman[@]}" run --ulimit nofile=1024:4096 --ulimit nproc=4096:4096 --network none --read-only)
service=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    "${podman[@]}" rm --force --time 2 "$name" "$name-other" >/dev/null 2>&1 || true
    "${podman[@]}" rmi --force localhost/sentinel-{agent,detector,dashboard}:$tag >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT

built=()
for program in agent detector dashboard; do
    if [ -x "$programs/sentinel-$program" ]; then built+=("$program"); else say "Not judged: sentinel-$program is not built."; fi
done
scripts/images.sh --tag "$tag" --output "$work/first" "${built[@]}"
scripts/images.sh --tag "$tag" --output "$work/second" "${built[@]}"
for program in "${built[@]}"; do
    cmp "$work/first/sentinel-$program.tar" "$work/second/sentinel-$program.tar" || die "two builds of sentinel-$program differ"
    image=localhost/sentinel-$program:$tag
    ! "${run[@]}" --rm --entrypoint /bin/sh "$image" -c true 2>/dev/null || die "sentinel-$program has a shell"
    shown=$("${run[@]}" --rm --cap-drop ALL "$image" --version)
    [[ $shown == "sentinel-$program "* ]] || die "sentinel-$program --version says '$shown'"
done
for program in detector dashboard; do
    [[ " ${built[*]} " == *" $program "* ]] || continue
    user=$("${podman[@]}" inspect --format '{{.Config.User}}' "localhost/sentinel-$program:$tag")
    [ "$user" = 65532:65532 ] || die "sentinel-$program runs as $user"
done
say "Images: the same twice, no shell, nobody in particular."

# As the chart runs it: helm/sentinel/templates/agent/daemonset.yaml and values.yaml (agent.capabilities).
mkdir "$work/config"
cat >"$work/config/agent-config.yaml" <<'CONFIG'
stream: {mode: stdout}
CONFIG
cat >"$work/config/rules.yaml" <<'RULES'
rules:
  - {name: programs, event: exec}
RULES
# The runtime's own API, where the agent looks for it.
if ! [ -S /run/podman/podman.sock ]; then
    install -d /run/podman
    "${podman[@]}" system service --time 0 unix:///run/podman/podman.sock &
    service=$!
fi
mapfile -t capabilities < <(sed -n 's/^  capabilities: \[\(.*\)\]/\1/p' helm/sentinel/values.yaml | tr -d ' ' | tr ',' '\n')
[ ${#capabilities[@]} -ge 2 ] || die "helm/sentinel/values.yaml names no capabilities"
start_agent() {
    "${run[@]}" --detach --name "$name" --pid host --cap-drop ALL "${capabilities[@]/#/--cap-add=}" \
        --security-opt seccomp=unconfined --security-opt no-new-privileges \
        --volume /sys/kernel/tracing:/sys/kernel/tracing:ro --volume /sys/kernel/security:/sys/kernel/security:ro \
        --volume /sys/fs/bpf:/sys/fs/bpf --volume /sys/fs/cgroup:/sys/fs/cgroup:ro \
        --volume /run:/run:ro,rslave --volume "$work/config:/etc/sentinel-ebpf:ro" --env NODE_NAME=node-7 \
        "localhost/sentinel-agent:$tag" --config /etc/sentinel-ebpf/agent-config.yaml >/dev/null
}
start_agent

logs() { "${podman[@]}" logs "$name" 2>&1; }
wait_for() { # wait_for WHAT SECONDS COMMAND…
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || die "$what: $(logs | grep -v '^{' | tail -n 20)"
        sleep 0.2
    done
}
# shellcheck disable=SC2317 # called by wait_for
started() { logs | grep 'Started\.' >/dev/null; }
wait_for "the agent does not start in its container" 60 started

other=$("${run[@]}" --detach --name "$name-other" "localhost/sentinel-agent:$tag" --help)
# shellcheck disable=SC2317 # called by wait_for
seen() {
    logs | grep '^{' | jq --exit-status --slurp --arg id "$other" --arg name "$name-other" \
        'any(.[]; .event_type == "exec" and .container_id == $id and .hostname == "node-7"
            and .attributes["container.name"] == $name)'
}
wait_for "no exec event of container $name-other ($other) with its name" 30 seen
"${podman[@]}" rm --force "$other" >/dev/null
"${podman[@]}" stop --time 5 "$name" >/dev/null
[ "$("${podman[@]}" inspect --format '{{.State.ExitCode}}' "$name")" = 0 ] || die "the agent does not stop as it should"
say "Images: the agent, with ${capabilities[*]} only, sees what another container executes, and its name."

# Every read and write goes into the container's log, which conmon writes, and that is an event: no chain of them.
printf 'rules: [{name: reads, event: file_read}, {name: writes, event: file_write}]\n' >"$work/config/rules.yaml"
"${podman[@]}" rm --force "$name" >/dev/null
start_agent
wait_for "the agent does not start in its container" 60 started
log=$("${podman[@]}" inspect --format '{{.HostConfig.LogConfig.Path}}' "$name")
events() { logs | grep -cF "\"filename\":\"$log\"" || true; }
# shellcheck disable=SC2317 # called by wait_for
any() { [ "$(events)" -gt 0 ]; }
wait_for "no event of the log $log" 30 any
before=$(events)
sleep 10
chain=$(($(events) - before))
[ "$chain" -le 100 ] || die "events feed on themselves through the container's log: $chain in ten seconds"
"${podman[@]}" stop --time 5 "$name" >/dev/null
say "Images: events into the container's log do not feed on themselves: $chain in ten seconds."
