#!/usr/bin/env bash
# Builds the Python package kamstrup-kmp as a wheel for this machine into dist/. Arguments go to
# maturin; wheels for other machines are built with zig as the linker, for instance
#   make wheel ARGS="--zig --target aarch64-unknown-linux-musl --compatibility musllinux_1_2"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision.sh
exec </dev/null

# The package with the code of its last build, and no other.
build() {
    rm -f dist/kamstrup_kmp-*.whl
    "$venv/bin/maturin" build --release --strip --locked --manifest-path crates/python/Cargo.toml \
        --out dist "$@"
}

part "Rust" provision_rust
part "Debian packages" provision_debian venv=python3-venv
part "Python tools" provision_venv wheel
part "wheel" build "$@"
