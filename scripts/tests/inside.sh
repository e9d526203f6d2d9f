# shellcheck shell=bash
# For what runs inside a Debian that nspawn.sh or guest.sh boots (nspawn-guest.sh, day-guest.sh): waiting, failing, and the
# installation of what /given holds.

said() { printf '    %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    journalctl --no-pager --unit "sentinel-*" --output short-precise | grep -v ': {"event_id' | tail -n 20 | cut -c 1-300 >&2 || true
    exit 1
}
property() { systemctl show --property "$2" --value "$1"; }

# Waits for a command to succeed: until SECONDS COMMAND… Emulated machines (PATIENCE, a factor) need longer.
until_true() {
    local deadline=$((SECONDS + $1 * ${PATIENCE:-1}))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

services=()
# Installs the package, or the files of it, and names the services in `services`.
install_given() {
    # Every Debian that was installed by its installer has it.
    [ -e /etc/hosts ] || printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts

    local name service
    for name in agent detector dashboard; do
        [ ! -x "/given/sentinel-$name" ] || services+=("sentinel-$name")
    done

    if [ -e /given/sentinel.deb ]; then
        dpkg --install /given/sentinel.deb >/dev/null || fail "dpkg refuses the package"
        for service in "${services[@]}"; do
            systemctl is-enabled --quiet "$service" || fail "$service is not enabled after the installation"
        done
        said "the package is installed"
    else
        cp /given/sentinel /given/sentinel-* /usr/bin/
        cp /given/dist/systemd/*.service /usr/lib/systemd/system/
        cp /given/dist/sysusers.conf /usr/lib/sysusers.d/sentinel.conf
        cp /given/dist/tmpfiles.conf /usr/lib/tmpfiles.d/sentinel.conf
        systemd-sysusers
        systemd-tmpfiles --create sentinel.conf
        cp /given/dist/etc/*.yaml /etc/sentinel-ebpf/
        systemctl daemon-reload
        said "no package was made: the files are installed one by one"
    fi
}
