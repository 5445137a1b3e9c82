#!/usr/bin/env bash
# Installs what the tests need, builds them, runs all of them. With arguments, which go to the test
# runner, it runs some of them: scripts/test.sh -p kamstrup-kmp
#
# The tests are told where things are by the environment:
#   HEATMETER_PYKMP   PyKMP's command-line tool, an independent reader of Kamstrup meters
# and find ser2net, and the brokers and databases that they start, where Debian puts them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh
exec </dev/null

export PATH=$PATH:/usr/sbin # where Debian puts ser2net

doc_tests() {
    cargo test --doc --workspace --locked --quiet
}

# The documentation's examples run first, so that the output closes with the summary of the tests.
if cargo nextest --version >/dev/null 2>&1; then
    build=(cargo nextest run --no-run --workspace --locked)
    # Half of the tests wait for a line most of the time: more at once than there are cores.
    run=(cargo nextest run --locked --test-threads "$(($(nproc) * 2))"
        --profile "$([ "${CI:-}" = true ] && echo ci || echo default)")
else
    build=(cargo test --no-run --lib --bins --tests --workspace --locked)
    run=(cargo test --lib --bins --tests --locked --no-fail-fast)
fi

part "Rust" provision_rust
part "Debian packages" provision_debian ser2net=ser2net venv=python3-venv node=nodejs npm=npm \
    mosquitto=mosquitto openssl=openssl '/usr/lib/postgresql/*/bin/initdb=postgresql' \
    influxd=influxdb victoria-metrics=victoria-metrics prometheus=prometheus
part "Python tools" provision_venv peers
export HEATMETER_PYKMP=$venv/bin/pykmp-tool
if [ $# -eq 0 ]; then
    # The page is part of the program: it comes first.
    part "page" scripts/page.sh
    part "build the tests" "${build[@]}"
    part "examples in the documentation" doc_tests
fi
part "tests" "${run[@]}" "$@"
if [ $# -eq 0 ]; then
    HEATMETER=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/heatmeter # built with the tests
    export HEATMETER
    part "page in Chromium" scripts/test-page.sh
    part "Home Assistant" scripts/test-home-assistant.sh
fi
