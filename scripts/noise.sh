#!/usr/bin/env bash
# Counts the alerts that the shipped rules raise on daily work: `noise.sh [packages|build|boot]...`, all of them unless
# told. Fails when one of high or critical severity is about what it did itself; what others do meanwhile is told apart.
#
# Root and the release programs (make build); packages need apt, boot needs systemd-nspawn and mmdebstrap (and what it boots is
# made the first time).
# docs/rules.md has the figures.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=scripts/tests/debian.sh
. scripts/tests/debian.sh

PACKAGES=(cron logrotate nginx-light hello) # those that are there already are left alone

[ "$(id -u)" -eq 0 ] || die "root is needed: installing packages and loading BPF programs"
command -v jq >/dev/null || die "jq is missing: apt-get install jq"
agent=${SENTINEL_AGENT:-${CARGO_TARGET_DIR:-target}/release/sentinel-agent}
[ -x "$agent" ] || die "$agent is missing: run make build, or set SENTINEL_AGENT"
scripts/mounts.sh

# Programs that start from a temporary directory are what a rule is about.
work=$(mktemp -d /var/lib/sentinel-noise.XXXXXX)
running=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    [ -z "$running" ] || kill "$running" 2>/dev/null || true
    wait || true
    rm -rf "$work"
    rmdir /sys/fs/cgroup/{,unified/}{payload,supervisor} 2>/dev/null || true
}
trap cleanup EXIT

quiet_apt() {
    flock /var/lock/sentinel-setup.lock env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

packages() {
    local package
    local -a fresh=()
    for package in "${PACKAGES[@]}"; do
        dpkg -s "$package" >/dev/null 2>&1 || fresh+=("$package")
    done
    [ "${#fresh[@]}" -gt 0 ] || die "all of ${PACKAGES[*]} are installed already"
    quiet_apt install --no-install-recommends "${fresh[@]}"
    quiet_apt purge "${fresh[@]}"
}

# Forty crates, build scripts and macros among them.
build() { CARGO_TARGET_DIR=$work/target cargo build --quiet -p sentinel-rules; }

boot() {
    local root
    root=$(debian_root)
    systemd-nspawn --quiet --directory="$root" --volatile=overlay --register=no --keep-unit --boot \
        --console=read-only </dev/null >"$work/console" 2>&1 &
    local nspawn=$! deadline=$((SECONDS + 120))
    # Not by looking inside: to enter namespaces is what a rule is about.
    until grep -qa 'Reached target.*multi-user' "$work/console"; do
        [ "$SECONDS" -lt "$deadline" ] || die "the container did not boot: $(tail -n 5 "$work/console")"
        sleep 0.2
    done
    kill -s RTMIN+4 "$(pgrep -P "$nspawn" | head -n 1)" # power off, says systemd(1)
    wait "$nspawn" || true
}

printf 'rules: []\n' >"$work/forward.yaml"
cat >"$work/agent.yaml" <<YAML
health: {port: 0}
metrics: {port: 0}
detection: {outputs: {file: {path: $work/alerts, rotateMaxBytes: 1073741824}}}
YAML

failed=0
measure() {
    rm -f "$work/alerts" "$work/log"
    "$agent" --config "$work/agent.yaml" --rules "$work/forward.yaml" >/dev/null 2>"$work/log" &
    running=$!
    local deadline=$((SECONDS + 120)) own
    until grep -q 'Started\.' "$work/log"; do
        kill -0 "$running" 2>/dev/null || die "the agent did not start: $(cat "$work/log")"
        [ "$SECONDS" -lt "$deadline" ] || die "the agent did not start within 120 s: $(cat "$work/log")"
        sleep 0.1
    done
    ("$1") &
    own=$!
    wait "$own"
    # Told to stop, it delivers all it has.
    kill "$running"
    wait "$running" || die "the agent failed: $(tail -n 5 "$work/log")"
    running=
    touch "$work/alerts"
    jq -rs --argjson own "$own" --arg what "$1" '
        map(. + {ours: ([.event.PID, .lineage[].pid] | index($own) != null)})
        | group_by([.ours, .severity, .rule])
        | map("| \($what) | \(if .[0].ours then "its own" else "others" end) | \(.[0].severity) | \(.[0].rule) | \(length) |")
        | if length == 0 then "| \($what) | | | none | 0 |" else .[] end' "$work/alerts"
    if jq -es --argjson own "$own" 'any(.[]; (.severity == "high" or .severity == "critical")
            and ([.event.PID, .lineage[].pid] | index($own) != null))' "$work/alerts" >/dev/null; then
        failed=1
    fi
}

printf '| what | whose | severity | rule | alerts |\n|---|---|---|---|--:|\n'
for one in "${@:-packages}" $([ $# -gt 0 ] || printf 'build boot'); do
    case $one in
    packages | build | boot) measure "$one" ;;
    *) die "usage: noise.sh [packages|build|boot]..., not '$one'" ;;
    esac
done
[ "$failed" -eq 0 ] || die "daily work raised alerts of high severity"
