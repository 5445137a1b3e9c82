#!/usr/bin/env bash
# Takes the pictures of docs/images/: a simulated meter, read by our integration in a real Home
# Assistant with its real pages (117 MB, installed for this only), looked at with Chromium. Look at
# the pictures before you commit them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision-home-assistant.sh
exec </dev/null

playwright_version=1.64.1

# playwright-core drives a browser that is there; it brings none of its own.
provision_playwright() {
    PLAYWRIGHT=$cache/playwright-$playwright_version
    mkdir -p "$PLAYWRIGHT"
    (
        flock 9
        [ ! -e "$PLAYWRIGHT/.complete" ] || exit 0
        echo '{"private": true}' >"$PLAYWRIGHT/package.json"
        npm install --prefix "$PLAYWRIGHT" --silent --no-audit --no-fund \
            "playwright-core@$playwright_version"
        touch "$PLAYWRIGHT/.complete"
    ) 9>"$PLAYWRIGHT/.lock"
}

packages() {
    cargo build --quiet --locked --package heatmeter-cli
    scripts/wheel.sh
    scripts/zip-integration
}

pictures() {
    local pages
    pages=$(echo "$(ha_environment frontend)"/lib/python3.*/site-packages)
    PLAYWRIGHT=$PLAYWRIGHT \
        HASS_FRONTEND=$pages \
        HEATMETER=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/heatmeter \
        HEATMETER_WHEEL=$(realpath dist/kamstrup_kmp-*.whl) \
        HEATMETER_ZIP=$PWD/dist/kamstrup_403.zip \
        timeout 300 node scripts/screenshots.mjs
}

part "Debian packages" provision_debian chromium=chromium node=nodejs npm=npm
part "playwright" provision_playwright
part "Home Assistant" provision_home_assistant ha frontend
part "heatmeter, wheel and zip" packages
part "pictures" pictures
