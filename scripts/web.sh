#!/usr/bin/env bash
# The web app: `web.sh build` leaves it in dashboard/dist (nothing to do when that is fresh), `web.sh test` runs
# its checks and unit tests, `web.sh e2e [NAME…]` drives a real browser against the built sentinel-dashboard, `web.sh load`
# does it under a minute of 10,000 alerts a second and over a million of them, `web.sh screenshots [DIRECTORY]`
# takes pictures of every view, `web.sh lock` renews the lock file.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

NODE_OLDEST=18
target=${CARGO_TARGET_DIR:-$PWD/target}

check_node() {
    if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
        die "node and npm are missing: install them (Debian: apt install nodejs npm)"
    fi
    local version
    version=$(node -p 'process.versions.node.split(".")[0]')
    [ "$version" -ge "$NODE_OLDEST" ] || die "node $version is too old: $NODE_OLDEST is the least"
}

saved=$(mktemp)
trap 'rm -f "$saved"' EXIT

# As the lock file says, once for each lock file.
modules() {
    check_node
    cd dashboard
    if ! cmp -s package-lock.json node_modules/.sentinel-lock 2>/dev/null; then
        # Not `npm ci`: it refuses a lock file without the optional packages of other systems, which not every
        # mirror has. The versions and hashes of the lock file hold all the same; it is put back as it was.
        cp package-lock.json "$saved"
        npm install --no-audit --no-fund --loglevel=error
        cp "$saved" package-lock.json
        cp package-lock.json node_modules/.sentinel-lock
    fi
}

fresh() {
    [ -f dashboard/dist/index.html ] && [ -z "$(find dashboard/src dashboard/public dashboard/index.html \
        dashboard/package-lock.json dashboard/vite.config.ts -newer dashboard/dist/index.html -print -quit)" ]
}

case ${1:-build} in
build)
    if fresh; then exit 0; fi
    modules
    npm run --silent build -- --logLevel warn
    ;;
test)
    modules
    npm run --silent check
    npm run --silent test
    ;;
e2e)
    modules
    SENTINEL_DASHBOARD=${SENTINEL_DASHBOARD:-$target/release/sentinel-dashboard} npm run --silent e2e -- "${@:2}"
    ;;
load)
    modules
    BURST_SECONDS=${BURST_SECONDS:-60} SENTINEL_DASHBOARD=${SENTINEL_DASHBOARD:-$target/release/sentinel-dashboard} \
        npm run --silent e2e -- "ten thousand" "a million"
    ;;
screenshots)
    modules
    SENTINEL_DASHBOARD=${SENTINEL_DASHBOARD:-$target/release/sentinel-dashboard} npm run --silent screenshots -- "${@:2}"
    ;;
lock)
    check_node
    cd dashboard
    npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
    # Where packages come from is the business of whoever installs them; whom to pay is in the packages.
    node -e '
        const fs = require("fs"), lock = JSON.parse(fs.readFileSync("package-lock.json"));
        for (const one of Object.values(lock.packages)) { delete one.funding; delete one.resolved; }
        fs.writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");'
    ;;
*) die "usage: web.sh [build|test|e2e [NAME…]|load|screenshots [DIRECTORY]|lock], not '$1'" ;;
esac
