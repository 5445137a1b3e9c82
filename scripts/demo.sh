#!/usr/bin/env bash
# Builds heatmeter and shows it at work on a simulated meter. Arguments go to `heatmeter demo`:
# scripts/demo.sh --for 20s
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/provision.sh

command -v cargo >/dev/null || fail "cargo is not installed; heatmeter needs Rust 1.95 or newer"
scripts/page.sh
cargo build --locked --package heatmeter-cli
exec cargo run --quiet --locked --package heatmeter-cli -- demo "$@"
