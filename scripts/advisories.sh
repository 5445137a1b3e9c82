#!/usr/bin/env bash
# Compares what we depend on with the database of known advisories, which is fetched for it. Not a
# part of `make lint`, which works without the outside.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh

part "cargo-deny" provision_cargo_tool cargo-deny 0.20.2
part "advisories" cargo deny --locked check advisories
