#!/usr/bin/env bash
# Takes the pictures of the gateway's page in docs/images/ with Chromium. Look at the pictures before
# you commit them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh
exec </dev/null

export PATH=$PATH:/usr/sbin # where Debian puts mosquitto

HEATMETER=$(realpath -m "${CARGO_TARGET_DIR:-target}")/debug/heatmeter
export HEATMETER

part "Rust" provision_rust
part "Debian packages" provision_debian chromium=chromium mosquitto=mosquitto node=nodejs npm=npm
part "page" scripts/page.sh
part "browser driver" provision_npm tests/page
part "heatmeter" cargo build --quiet --locked --package heatmeter-cli
part "pictures" timeout 600 node scripts/screenshots-page.mjs
