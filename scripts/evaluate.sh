#!/usr/bin/env bash
# How well the engine `baseline` finds attacks, and how often it alarms without one: records this machine with a small server's
# work on it, attacks it with every simulation at the end, and evaluates the recording. Needs root and `make build`.
#
#   evaluate.sh [MINUTES [FILE]]      records MINUTES (60) into FILE, then evaluates
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

minutes=${1:-60}
programs=$(realpath "${CARGO_TARGET_DIR:-target}/release")
work=$(mktemp -d /var/tmp/sentinel-evaluate.XXXXXX)
recording=$(realpath -m "${2:-$work/events.bin}")
chmod 755 "$work"

[ "$(id -u)" -eq 0 ] || die "recording needs root"
for program in sentinel-agent sentinel-detector sentinel-simulate; do
    [ -x "$programs/$program" ] || die "$programs/$program is missing: make build"
done

started=()
end() {
    [ "${#started[@]}" -eq 0 ] || kill "${started[@]}" 2>/dev/null || true
    wait
    rm -rf "$work/day"
}
trap end EXIT

cat >"$work/agent.yaml" <<YAML
health: {port: 0}
metrics: {port: 0}
detection: {rules: []}
stream: {mode: file, queueLength: 8192, file: {path: $recording, rotateMaxBytes: 4000000000, compress: true}}
YAML
"$programs/sentinel-agent" --config "$work/agent.yaml" --rules docs/examples/forward-baseline.yaml 2>"$work/agent.log" &
agent=$!
started+=("$agent")
until grep -q 'Started\.' "$work/agent.log"; do
    kill -0 "$agent" || die "the agent ended: $(cat "$work/agent.log")"
    sleep 0.2
done

say "Recording $minutes minutes into $recording."
scripts/evaluate/workload.sh "$work/day" $((minutes * 60)) &
started+=("$!")
# The simulator is known by then: it has done harmless things alike all the time, as the attacks' twins do.
mapfile -t names < <("$programs/sentinel-simulate" list --json | sed 's/{/\n/g' | sed -n 's/.*"name":"\([^"]*\)".*/\1/p')
attack_at=$((minutes * 60 * 8 / 10))
while [ "$SECONDS" -lt "$attack_at" ]; do
    for name in $(printf '%s\n' "${names[@]}" | shuf); do
        [ "$SECONDS" -lt "$attack_at" ] || break
        "$programs/sentinel-simulate" run "$name" --benign >/dev/null 2>&1 || true
        sleep $((20 + RANDOM % 25))
    done
done
say "Attacking with ${#names[@]} simulations."
for name in "${names[@]}"; do
    "$programs/sentinel-simulate" run "$name" >/dev/null 2>&1 || true
    sleep 2
done
until [ "$SECONDS" -ge $((minutes * 60)) ]; do sleep 1; done
kill "$agent"
wait "$agent" || true
"$programs/sentinel-detector" evaluate "$recording"
