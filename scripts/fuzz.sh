#!/usr/bin/env bash
# Fuzzes each target for some time: scripts/fuzz.sh [SECONDS [TARGET...]], 60 seconds and all
# targets by default. Needs a nightly toolchain. What one run has found to be interesting input
# is kept in the cache for the next; a crash leaves its input in fuzz/artifacts.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh

seconds=${1:-60}
[ $# -eq 0 ] || shift
targets=("$@")

fuzz_target() {
    local corpus=$cache/fuzz/$1 seeds=()
    mkdir -p "$corpus"
    [ ! -d "fuzz/seeds/$1" ] || seeds=("fuzz/seeds/$1")
    cargo +nightly fuzz run "$1" "$corpus" "${seeds[@]}" -- \
        -max_total_time="$seconds" -print_final_stats=1
}

cargo +nightly --version >/dev/null 2>&1 \
    || fail "fuzzing needs a nightly toolchain; run: rustup toolchain install nightly"
part "cargo-fuzz" provision_cargo_tool cargo-fuzz 0.13.2
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(cargo +nightly fuzz list)
    [ ${#targets[@]} -gt 0 ] || fail "there is no fuzz target"
fi
part "build the targets" cargo +nightly fuzz build
for target in "${targets[@]}"; do
    part "$target for $seconds s" fuzz_target "$target"
done
