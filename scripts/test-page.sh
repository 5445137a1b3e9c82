#!/usr/bin/env bash
# The tests of the gateway's page: the real program and simulated meters, looked at with Chromium.
# `make test` runs this, too. Arguments choose test files: scripts/test-page.sh align setup
#
# The tests are told where things are by the environment:
#   HEATMETER         the heatmeter program, with the page in it; built if not set
#   CHROMIUM          the browser
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh
exec </dev/null

export PATH=$PATH:/usr/sbin # where Debian puts mosquitto

CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export CHROMIUM

tests() {
    local files=() name
    for name in "$@"; do files+=("tests/page/$name.test.mjs"); done
    [ ${#files[@]} -gt 0 ] || files=(tests/page/*.test.mjs)
    # Each file has its own gateway and browser; two at once are what two cores bear.
    node --test --test-concurrency=2 --test-reporter=spec "${files[@]}"
}

part "Rust" provision_rust
part "Debian packages" provision_debian chromium=chromium mosquitto=mosquitto node=nodejs npm=npm
part "page" scripts/page.sh
part "browser driver" provision_npm tests/page
part "heatmeter" provision_heatmeter
part "page in Chromium" tests "$@"
