#!/usr/bin/env bash
# Builds the release programs twice, from two clean clones of the last commit in different directories with different names for
# everything that could get into a program (target directory, time), and compares them byte by byte. Names of programs as
# arguments: only these. Takes two release builds, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=(sentinel sentinel-agent sentinel-detector sentinel-dashboard)
packages=()
for program in "${programs[@]}"; do
    case $program in
    sentinel) packages+=(--package sentinel-cli) ;;
    sentinel-agent | sentinel-detector | sentinel-dashboard) packages+=(--package "$program") ;;
    *)
        printf "usage: reproducible.sh [sentinel|sentinel-agent|sentinel-detector|sentinel-dashboard…], not '%s'\n" "$program" >&2
        exit 2
        ;;
    esac
done

# Who commits meanwhile does not change what the second build is of.
commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build() { # build DIRECTORY TARGET
    git clone --quiet --no-hardlinks --no-checkout . "$1"
    git -C "$1" checkout --quiet --detach "$commit"
    # The web app, from its lock file, for those that carry it; or one that was built before (SENTINEL_DASHBOARD_DIST).
    [[ -n ${SENTINEL_DASHBOARD_DIST:-} || " ${programs[*]} " != *" sentinel "* && " ${programs[*]} " != *" sentinel-dashboard "* ]] || (cd "$1" && scripts/web.sh build)
    (cd "$1" && CARGO_TARGET_DIR=$2 scripts/release-build.sh "${packages[@]}")
    for program in "${programs[@]}"; do install -D "$2/release/$program" "$1.out/$program"; done
    rm -rf "$2"
}
say "The first build."
build "$work/one" "$work/built"
say "The second build."
build "$work/a second place with/another name" "$work/other/target-directory"

different=()
for program in "${programs[@]}"; do
    if cmp --silent "$work/one.out/$program" "$work/a second place with/another name.out/$program"; then
        say "$program: $(sha256sum <"$work/one.out/$program" | cut -c 1-64), both times."
    else
        different+=("$program")
    fi
    ! grep --quiet --fixed-strings "$work" "$work/one.out/$program" || die "$program holds a path of where it was built"
done
[ ${#different[@]} -eq 0 ] || die "two builds differ: ${different[*]}"
