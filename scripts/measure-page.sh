#!/usr/bin/env bash
# Measures how long the gateway's page takes to draw long histories, in Chromium. Prints; nothing is
# asserted.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh
exec </dev/null

part "Debian packages" provision_debian chromium=chromium node=nodejs npm=npm
part "page" scripts/page.sh
part "browser driver" provision_npm tests/page
part "measurement" node scripts/measure-page.mjs
