# shellcheck shell=bash
# For nspawn.sh and guest.sh, which source it after lib.sh: a Debian with systemd in which the services are judged, and what it
# is given.

SUITE=bookworm
INSTALLED=systemd,systemd-sysv,dbus,udev,procps,curl,jq,libelf1,zlib1g,init-system-helpers,sqlite3

# Prints the directory of the root. It is made once (a minute, 250 MB) and kept in a cache: nobody writes there.
debian_root() {
    local root mirror
    root=${XDG_CACHE_HOME:-$HOME/.cache}/sentinel/nspawn-$SUITE-$(cksum <<<"$INSTALLED" | cut -d ' ' -f 1)
    if [ ! -e "$root/complete" ]; then
        say "Making $root."
        rm -rf "$root"
        mkdir -p "$(dirname "$root")"
        # shellcheck disable=SC2016 # apt's own placeholder
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -n 1)
        flock /var/lock/sentinel-setup.lock \
            mmdebstrap --quiet --variant=minbase --include=$INSTALLED $SUITE "$root" "$mirror" >/dev/null
        : >"$root/complete"
    fi
    printf '%s\n' "$root"
}

# give DIRECTORY [--nixos]: programs, package, units and the test that will judge them. With --nixos also what the NixOS module
# makes of `services.sentinel.enable = true`: its units, in which the store's paths are this Debian's, and its configuration
# (JSON, which is YAML).
give() {
    local to=$1 programs=${CARGO_TARGET_DIR:-target}/release program package
    [ -x "$programs/sentinel-agent" ] || die "$programs/sentinel-agent is missing: run make build"
    mkdir -p "$to"
    for program in sentinel sentinel-agent sentinel-detector sentinel-dashboard; do
        [ ! -x "$programs/$program" ] || cp "$programs/$program" "$to/"
    done
    cp -r dist scripts/tests/{inside,nspawn-guest,day-guest}.sh "$to/"
    for package in target/debian/sentinel_*.deb; do
        [ ! -e "$package" ] || cp "$package" "$to/sentinel.deb"
    done
    [ "${2:-}" = --nixos ] || return 0
    local nix
    nix=$(scripts/get-nix.sh) || die "--nixos: there is no nix, and none could be unpacked"
    mkdir "$to/nixos" "$to/store"
    NIX_STORE_DIR=$to/store/store NIX_STATE_DIR=$to/store/state NIX_LOG_DIR=$to/store/log \
        "$nix/nix-instantiate" --eval --strict --json nix/tests/module.nix >"$to/module.json" 2>"$to/nix.log" ||
        die "nix/tests/module.nix: $(cat "$to/nix.log")"
    python3 - "$to" <<'PYTHON'
import json, pathlib, re, sys

to = pathlib.Path(sys.argv[1])
module = json.loads((to / "module.json").read_text())
for name, text in module["units"].items():
    text = re.sub(rf"^ExecStart=\S+/sentinel-{name} --config \S+$", f"ExecStart=/usr/bin/sentinel-{name}", text, flags=re.M)
    text = re.sub(r"^ExecReload=\S+/kill ", "ExecReload=/bin/kill ", text, flags=re.M)
    assert str(to) not in text, text
    (to / "nixos" / f"sentinel-{name}.service").write_text(text)
    (to / "nixos" / f"{name}-config.yaml").write_text(json.dumps(module["configurations"][name]))
PYTHON
    chmod -R u+w "$to/store"
    rm -rf "$to/store" "$to/module.json" "$to/nix.log"
}
