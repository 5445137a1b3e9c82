#!/usr/bin/env bash
# Measures what the gateway needs with one meter, MQTT and history on: memory, processor, time until the
# first value, size. Takes about two minutes after the build. Prints; nothing is asserted.
# scripts/measure-gateway.sh 20 starts it twenty times instead of five.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh
exec </dev/null

part "Debian packages" provision_debian /usr/sbin/mosquitto=mosquitto mosquitto_sub=mosquitto-clients node=nodejs npm=npm
part "page" scripts/page.sh
part "build" cargo build --release --locked --package heatmeter-cli
part "measurement" scripts/measure-gateway.py target/release/heatmeter "$@"
