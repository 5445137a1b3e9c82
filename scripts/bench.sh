#!/usr/bin/env bash
# Runs the benchmarks. Arguments go to criterion: scripts/bench.sh --save-baseline before
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"

part "build the benchmarks" cargo bench --no-run --workspace --locked --bench '*'
part "benchmarks" cargo bench --workspace --locked --bench '*' -- "$@"
