#!/usr/bin/env bash
# The tests of the Python package and of the Home Assistant integration, in Home Assistant's own
# Python; see scripts/provision-home-assistant.sh. `make test` runs this, too. Arguments go to the
# live tests only: scripts/test-home-assistant.sh -k takeover
#
# The tests are told where things are by the environment:
#   HEATMETER         the heatmeter program, for simulated meters and readings to compare with; built
#                     if not set
#   HEATMETER_WHEEL   our Python package
#   HEATMETER_ZIP     the integration as the store installs it
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision-home-assistant.sh
exec </dev/null

export PATH=$PATH:/usr/sbin # where Debian puts mosquitto

# Most of the live tests wait most of the time: more at once than there are cores.
at_once=10
# None takes longer, by far.
limit=1200

HEATMETER_ZIP=$PWD/dist/kamstrup_403.zip
export HEATMETER_ZIP

packages() {
    scripts/wheel.sh
    scripts/zip-integration
}

tests() {
    local environment=$1
    shift
    scripts/in-home-assistant "$environment" python -m pytest -p no:cacheprovider --quiet \
        --timeout "$limit" "$@"
}

# The package by itself, without Home Assistant.
package_tests() {
    local site
    site=$(mktemp -d)
    "$python" -m zipfile --extract "$HEATMETER_WHEEL" "$site"
    # Home Assistant's plugin would keep it from real ports.
    PYTHONPATH=$site tests unit -p no:homeassistant --config-file crates/python/pyproject.toml \
        --numprocesses 4 crates/python/tests
    rm -r "$site"
}

# With how much of the integration they have been through; less than this is an error.
in_process_tests() {
    local COVERAGE_FILE
    COVERAGE_FILE=$(mktemp)
    export COVERAGE_FILE
    tests unit --config-file tests/integration/pytest.ini --numprocesses 3 \
        --cov custom_components.kamstrup_403 --cov-report term:skip-covered --cov-fail-under 95 \
        tests/integration
    scripts/in-home-assistant unit python -m coverage report --include '*/*_flow.py' \
        --fail-under 100
}

# What takes five minutes and no work, beside everything else.
start_long_test() {
    long_log=$(mktemp)
    (exec scripts/in-home-assistant ha python -m pytest -p no:cacheprovider --quiet \
        --timeout "$limit" tests/home_assistant -k five_minutes) >"$long_log" 2>&1 &
    long_test=$!
}

end_long_test() {
    local status=0
    wait "$long_test" || status=$?
    long_test=""
    cat "$long_log"
    rm "$long_log"
    return "$status"
}

long_test=""
stop_long_test() {
    local status=$?
    if [ -n "$long_test" ]; then
        # unshare, which it has become, hears nothing else; what it has started ends with it.
        kill -KILL "$long_test" 2>/dev/null || true
        wait "$long_test" 2>/dev/null || true
        rm -f "$long_log"
    fi
    return "$status"
}
trap 'stop_long_test; print_parts' EXIT

part "Debian packages" provision_debian mosquitto=mosquitto
part "Home Assistant" provision_home_assistant ha unit
part "heatmeter" provision_heatmeter
part "wheel and zip" packages
HEATMETER_WHEEL=$(realpath dist/kamstrup_kmp-*.whl)
export HEATMETER_WHEEL
if [ $# -eq 0 ]; then
    start_long_test
    part "Python package" package_tests
    part "integration, in process" in_process_tests
    part "integration, live, alone" tests ha tests/home_assistant -k wall_clock
    set -- -k "not wall_clock and not five_minutes"
fi
part "integration, live" tests ha tests/home_assistant --numprocesses "$at_once" \
    --dist worksteal "$@"
if [ -n "$long_test" ]; then
    part "integration, live, five minutes" end_long_test
fi
