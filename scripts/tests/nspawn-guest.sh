#!/usr/bin/env bash
# Runs inside what nspawn.sh and guest.sh boot: installs what /given holds and judges the services.
set -euo pipefail
# shellcheck source=scripts/tests/inside.sh
. "$(dirname "$0")/inside.sh"

# How long a service took to stop, in milliseconds, by the service manager's clock.
stopping() {
    local from to
    from=$(property "$1" ActiveExitTimestampMonotonic)
    to=$(property "$1" InactiveEnterTimestampMonotonic)
    printf '%s\n' $(((to - from) / 1000))
}

install_given

# The same services as NixOS renders them, with its configuration. Its programs are elsewhere.
if [ -d /given/nixos ]; then
    cp /given/nixos/*.service /etc/systemd/system/
    cp /given/nixos/*.yaml /etc/sentinel-ebpf/
    systemctl daemon-reload
    said "the units are NixOS'"
fi

# So that one whose watchdog hears nothing does not live to the end of this. (The agent's turn comes below.)
for service in sentinel-detector sentinel-dashboard; do
    mkdir -p "/run/systemd/system/$service.service.d"
    printf '[Service]\nWatchdogSec=%ss\n' $((2 * ${PATIENCE:-1})) >"/run/systemd/system/$service.service.d/short.conf"
done
systemctl daemon-reload

# Exposure in tenths, as scripts/tests/units.sh has it.
declare -A most=([sentinel-agent]=40 [sentinel-detector]=20 [sentinel-dashboard]=20)
for service in "${services[@]}"; do
    systemd-analyze verify --man=no "$service.service" 2>&1 | grep -v '^$' >/tmp/verify.txt || true
    grep -q sentinel /tmp/verify.txt && fail "systemd-analyze verify: $(cat /tmp/verify.txt)"
    # Again, where the package has started it: with the units as they are now.
    systemctl restart "$service" || fail "$service does not say that it works"
    [ "$(property "$service" ActiveState)" = active ] || fail "$service is not active"
    said "$service: READY: $(property "$service" StatusText)"
    pid=$(property "$service" MainPID)
    [ "$(stat --format %u "/proc/$pid")" -ne 0 ] || fail "$service runs as root"
    systemd-analyze security --threshold="${most[$service]}" --no-pager "$service.service" >/tmp/security.txt 2>&1 ||
        fail "$service is exposed: $(tail -n 1 /tmp/security.txt)"
    said "$service: $(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/exposure \1/p' /tmp/security.txt)"
done

# The rights of the agent are those it names: BPF 39, PERFMON 38, SYS_NICE 23, SYS_PTRACE 19, DAC_READ_SEARCH 2; and
# SYS_ADMIN 21 where the kernel asks for it.
agent=$(property sentinel-agent MainPID)
effective=$(sed -n 's/^CapEff:\t0*//p' "/proc/$agent/status")
rights=c000880004
[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ] || rights=c000a80004
[ "$effective" = "$rights" ] || fail "the agent's capabilities are $effective"
until_true 10 curl --fail --silent http://127.0.0.1:9101/readyz || fail "the agent's /readyz"
hooks=$(curl --silent http://127.0.0.1:9102/metrics)
grep -q '^sentinel_' <<<"$hooks" || fail "the agent has no metrics"
said "the agent works as $(stat --format %U "/proc/$agent") with the capabilities $effective"

# It sees what happens here: the counter of events moves when something is done.
events() { curl --silent http://127.0.0.1:9102/metrics | awk '/^sentinel_events_decoded_total/ { sum += $2 } END { printf "%d\n", sum }'; }
before=$(events)
for _ in $(seq 20); do cat /etc/hostname >/dev/null; done
moved() { [ "$(events)" -gt "$before" ]; }
until_true 10 moved || fail "the agent sees nothing: sentinel_events_decoded_total stays at $before"
said "the agent sees what happens ($before → $(events) events)"

systemctl reload sentinel-agent || fail "reload"
[ "$(property sentinel-agent MainPID)" = "$agent" ] || fail "reload replaced the process"
said "reload keeps the process"

# One that hangs is found by the watchdog and started again. (The times of the unit are too long to wait for.)
mkdir -p /run/systemd/system/sentinel-agent.service.d
printf '[Service]\nWatchdogSec=%ss\nTimeoutAbortSec=1s\nRestartSec=100ms\n' $((2 * ${PATIENCE:-1})) \
    >/run/systemd/system/sentinel-agent.service.d/short.conf
systemctl daemon-reload
systemctl restart sentinel-agent
agent=$(property sentinel-agent MainPID)
kill -STOP "$agent"
again() {
    [ "$(property sentinel-agent ActiveState)" = active ] && [ "$(property sentinel-agent MainPID)" -ne "$agent" ]
}
until_true 20 again || fail "the watchdog did not restart an agent that hangs"
journalctl --no-pager --unit sentinel-agent | grep 'Watchdog timeout' >/dev/null || fail "the journal has no watchdog timeout"
rm -r /run/systemd/system/sentinel-agent.service.d
systemctl daemon-reload
systemctl restart sentinel-agent
said "the watchdog restarts one that hangs"

# Wrong configuration: refused, with words, and not tried again and again.
cp /etc/sentinel-ebpf/agent-config.yaml /tmp/right.yaml
printf '{"health": {"prot": 1}}\n' >/etc/sentinel-ebpf/agent-config.yaml
! systemctl restart sentinel-agent 2>/dev/null || fail "a wrong configuration is accepted"
failed() { [ "$(property sentinel-agent ActiveState)" = failed ]; }
until_true 5 failed || fail "a wrong configuration is tried again: $(property sentinel-agent ActiveState)"
[ "$(property sentinel-agent ExecMainStatus)" = 2 ] || fail "exit code $(property sentinel-agent ExecMainStatus)"
until_true 5 sh -c 'journalctl --no-pager --unit sentinel-agent | grep -q "did you mean \"port\""' ||
    fail "the journal does not say what is wrong"
cp /tmp/right.yaml /etc/sentinel-ebpf/agent-config.yaml
systemctl start sentinel-agent || fail "the agent does not come back"
said "a wrong configuration is refused once, with words"

# Every read and write goes into the journal, whose own reads and writes are events too: no chain of them.
printf 'stream: {mode: stdout}\n' >/etc/sentinel-ebpf/agent-config.yaml
systemctl restart sentinel-agent || fail "the agent does not start with its events going to the journal"
from=$(date +%s)
# (Written to /dev/null, grep would end at the first line, and journalctl by SIGPIPE.)
in_journal() { journalctl --no-pager --unit sentinel-agent --output cat --since "@$from" | grep '^{' | cat; }
until_true 15 in_journal || fail "no event in the journal"
sleep 3 # what a start causes
from=$(date +%s)
sleep 10
chain=$(in_journal | grep -cE '"comm":"(systemd-journal|sentinel-agent)"' || true)
[ "$chain" -le 100 ] || fail "events feed on themselves through the journal: $chain in ten seconds"
cp /tmp/right.yaml /etc/sentinel-ebpf/agent-config.yaml
systemctl restart sentinel-agent || fail "the agent does not come back"
said "events into the journal do not feed on themselves: $chain in ten seconds"

# Services that live for 5 ms, 50 ms and 5 s: every event of each, from the first to the last, tells its unit and its user.
# (Users are found through /proc, which in a container shows other process numbers than the events have.)
users=false
[ "$(readlink /proc/self/ns/pid)" != "pid:[4026531836]" ] || users=true
printf '{"stream": {"mode": "stdout"}, "rulesFile": "/etc/sentinel-ebpf/lives.yaml"}\n' >/etc/sentinel-ebpf/agent-config.yaml
printf 'rules: [{name: starts, event: exec}, {name: ends, event: exit}]\n' >/etc/sentinel-ebpf/lives.yaml
systemctl restart sentinel-agent || fail "the agent does not start with other rules"
from=$(date +%s)
for life in 0.005 0.05 5; do
    systemd-run --quiet --wait --unit "life-$life" --uid nobody sleep "$life" || fail "systemd-run of $life seconds"
done
whole() {
    in_journal >/tmp/events
    local life
    for life in 0.005 0.05 5; do
        jq --null-input --exit-status --arg unit "life-$life.service" --argjson users "$users" '[inputs] as $all
            | ($all | map(select(.attributes["systemd.unit"] == $unit) | .attributes["sentinel.cgroup_id"]) | unique) as $cgroups
            | $all | map(select(.attributes["sentinel.cgroup_id"] | IN($cgroups[]))) | map(select(.attributes["proc.exepath"] | endswith("/sleep")))
            | map(.event_type) == ["exec", "exit"] and all(.attributes["systemd.unit"] == $unit)
                and (all(.attributes["user.name"] == "nobody") or ($users | not))' \
            /tmp/events >/dev/null || return 1
    done
}
until_true 10 whole || fail "not every event of a short service tells its unit: $(grep '"life-' /tmp/events | tail -n 4)"
cp /tmp/right.yaml /etc/sentinel-ebpf/agent-config.yaml
rm /etc/sentinel-ebpf/lives.yaml
systemctl restart sentinel-agent || fail "the agent does not come back"
said "every event of services of 5 ms, 50 ms and 5 s tells its unit$([ "$users" = false ] || echo " and its user")"

# What the journal has of our own logs are fields, not text in text.
journalctl --no-pager --unit sentinel-agent --output json | jq --exit-status --slurp \
    'any(.[]; .SYSLOG_IDENTIFIER == "sentinel-agent" and (.MESSAGE | type == "string") and has("PRIORITY"))' \
    >/dev/null || fail "the journal has no message of the agent"

# An alert in the journal, by its field: a program started from /tmp by somebody ordinary.
grep -q journald /etc/sentinel-ebpf/agent-config.yaml || fail "the shipped configuration sends no alerts to the journal"
cp /bin/true /tmp/tool
alerted() {
    setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/tool
    journalctl --no-pager --output json RULE_ID=suspicious_exec | jq --exit-status .SEVERITY
}
until_true 15 alerted || fail "journalctl RULE_ID=suspicious_exec shows nothing"
said "journalctl RULE_ID=suspicious_exec shows the alert"

# The same in the history of the detector and of the dashboard.
if [[ " ${services[*]} " == *" sentinel-dashboard "* ]]; then
    told() { curl --fail --silent "http://127.0.0.1:$1/api/alerts" | grep -q '"rule_id": *"suspicious_exec"'; }
    for port in 8090 8080; do until_true 30 told $port || fail "no alert at http://127.0.0.1:$port/api/alerts"; done
    said "detector and dashboard have it"
fi

for service in "${services[@]}"; do
    [ "$service" = sentinel-agent ] || [ "$(property "$service" NRestarts)" -eq 0 ] || fail "$service was restarted"
    systemctl stop "$service"
    took=$(stopping "$service")
    # (Emulated, three times as long.)
    [ "$took" -le $((${PATIENCE:-1} > 1 ? 6000 : 2000)) ] || fail "$service takes $took ms to stop"
    [ "$(property "$service" Result)" = success ] || fail "$service ends with $(property "$service" Result)"
    said "$service stops in $took ms"
done

if [ -e /given/sentinel.deb ]; then
    printf '# mine\n' >>/etc/sentinel-ebpf/rules.yaml
    systemctl start sentinel-agent
    dpkg --install /given/sentinel.deb >/dev/null || fail "dpkg refuses the upgrade"
    grep -q '^# mine' /etc/sentinel-ebpf/rules.yaml || fail "the upgrade overwrote a configuration file"
    systemctl is-active --quiet sentinel-agent || fail "the agent does not run after the upgrade"
    dpkg --remove sentinel >/dev/null 2>&1 || fail "dpkg refuses the removal"
    [ -e /etc/sentinel-ebpf/rules.yaml ] || fail "removal took the configuration"
    [ "$(property sentinel-agent ActiveState)" != active ] || fail "the agent runs after the removal"
    dpkg --purge sentinel >/dev/null 2>&1 || fail "dpkg refuses the purge"
    left=$(find /etc/sentinel-ebpf /var/lib/sentinel* /var/lib/private/sentinel* /var/log/sentinel* \
        /etc/systemd/system/*/sentinel* 2>/dev/null || true)
    [ -z "$left" ] || fail "the purge leaves: $left"
    said "the package upgrades, keeps what was edited, and purges without a trace"
fi
