#!/usr/bin/env bash
# Runs inside what `guest.sh --day` boots, twice. `day-guest.sh yesterday` installs what /given holds, lets it see something, and
# leaves behind what an earlier version and a lost supply of power would. After the next boot `day-guest.sh today` judges: that
# boot and an ordinary day of work raise nothing of high severity and lose nothing, one thing that is not ordinary is seen, and
# what was kept is still there.
set -euo pipefail
trap 'printf "error: line %s failed\n" "$LINENO" >&2' ERR
# shellcheck source=scripts/tests/inside.sh
. "$(dirname "$0")/inside.sh"

HISTORY=/var/lib/sentinel-detector/history.db
LOG=/var/log/sentinel-ebpf/events.bin

# A program of a temporary directory is started by somebody ordinary, until the detector has the alert.
unusual() { # unusual NAME
    cp /bin/true "/tmp/$1"
    until_true 30 started "$1" || fail "the detector has no alert of /tmp/$1"
}
started() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "/tmp/$1"
    curl --fail --silent http://127.0.0.1:8090/api/alerts | grep "/tmp/$1" >/dev/null
}

# A file that the forward rules name is written, until the log has it.
witness() { # witness NAME
    until_true 30 written "$1" || fail "the log has no write to /var/witness-$1"
}
written() {
    printf 'x\n' >>"/var/witness-$1"
    logged | grep "witness-$1" >/dev/null
}
# (A torn end is told, and fails.)
logged() { for log in "$LOG"*; do sentinel decode "$log" 2>/dev/null || true; done; }

yesterday() {
    install_given
    cat >/etc/sentinel-ebpf/agent-config.yaml <<'YAML'
stream: {mode: [grpc, file]}
detection: {outputs: {journald: {}}}
YAML
    printf 'rules: [{name: the-witness, event: file_write, match: {pathPrefixes: [/var/witness]}}]\n' >/etc/sentinel-ebpf/rules.yaml
    systemctl enable --quiet "${services[@]}"
    systemctl restart "${services[@]}"
    unusual before
    witness before
    systemctl stop "${services[@]}"
    # What version 3 of the history had not, and a record of which only the length was written.
    sqlite3 "$HISTORY" 'DROP TABLE counts; PRAGMA user_version = 3'
    printf '\144\0\0\0' >>"$LOG"
    said "what an earlier version left is there"
}

# What people and timers do on a server, as far as this one has it.
ordinary() {
    find /etc -type f -print0 | xargs -0 cat >/dev/null
    tar -cf /var/etc.tar /etc && rm /var/etc.tar
    curl --silent http://127.0.0.1:9102/metrics >/dev/null
    systemctl daemon-reload
    systemctl start systemd-tmpfiles-clean.service
    systemctl restart systemd-journald.service
    systemd-run --quiet --wait --uid nobody ls /
    for _ in 1 2 3; do ps aux && df -h && journalctl --no-pager --lines 20 && id && uptime; done >/dev/null
    ldconfig
    dpkg --verify >/dev/null || true
    printf 'one\ntwo\n' >/var/lines && sed -i s/one/three/ /var/lines && sort /var/lines >/dev/null && rm /var/lines
}
loud() {
    journalctl --no-pager --boot --unit sentinel-agent --output json |
        jq --raw-output 'select(.SEVERITY == "high" or .SEVERITY == "critical") | "\(.RULE_ID): \(.MESSAGE)"'
}

today() {
    for service in sentinel-agent sentinel-detector sentinel-dashboard; do
        until_true 20 systemctl is-active "$service" || fail "$service does not start with the machine"
    done
    until_true 20 curl --fail --silent http://127.0.0.1:9101/readyz || fail "the agent's /readyz"
    ordinary
    # One thing that is not: its alert comes behind all that came before.
    unusual after
    loud | grep -v /tmp/after >/tmp/loud || true
    [ ! -s /tmp/loud ] || fail "an ordinary day is loud: $(head -n 5 /tmp/loud)"
    lost=$(curl --silent http://127.0.0.1:9102/metrics | awk '/^sentinel_events_lost_total/ { sum += $2 } END { printf "%d\n", sum }')
    [ "$lost" -eq 0 ] || fail "$lost events were lost"
    said "a boot and an ordinary day raise nothing high and lose nothing"

    curl --fail --silent http://127.0.0.1:8090/api/alerts | grep /tmp/before >/dev/null || fail "the alert of yesterday is gone"
    [ "$(sqlite3 "$HISTORY" 'PRAGMA user_version')" -gt 3 ] || fail "the history was not brought up to date"
    witness after
    logged >/tmp/decoded
    grep -q witness-before /tmp/decoded || fail "the log of yesterday is gone"
    said "history and log of an earlier version go on"

    systemctl stop sentinel-detector
    sqlite3 "$HISTORY" 'PRAGMA user_version = 99'
    ! systemctl start sentinel-detector 2>/dev/null || fail "a history of a later version is used"
    [ "$(sqlite3 "$HISTORY" 'PRAGMA user_version')" = 99 ] || fail "a history of a later version was touched"
    said "a history of a later version is refused and left alone"
}

case ${1:-} in
yesterday | today) "$1" ;;
*) fail "usage: day-guest.sh yesterday|today" ;;
esac
