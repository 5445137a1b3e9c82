#!/usr/bin/env bash
# Builds the page of the gateway into web/dist, from where it goes into the program. Does nothing if
# its sources are what they were at the last time. `--force` builds all the same.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/provision.sh
exec </dev/null

sources() {
    find web/src scripts/texts web/index.html web/build.mjs web/package-lock.json web/tsconfig.json -type f -print0 \
        | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}

provision_node
stamp=$(sources)
if [ "${1:-}" != --force ] && [ "$(cat web/dist/.stamp 2>/dev/null)" = "$stamp" ]; then
    echo "web/dist is up to date"
    exit 0
fi
provision_npm web
(
    cd web
    node_modules/.bin/tsc --noEmit
    node build.mjs
)
echo "$stamp" >web/dist/.stamp
