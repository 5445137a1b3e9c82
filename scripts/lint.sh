#!/usr/bin/env bash
# Everything that is checked without running the product. The quick checks come first.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/steps.sh"
. scripts/provision-home-assistant.sh
exec </dev/null

git rev-parse --is-inside-work-tree >/dev/null || fail "the checks work on a git checkout"

# files_of INTERPRETER SUFFIX: the files of one language, by their ending or their first line.
files_of() {
    local file line
    git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
        [ -f "$file" ] || continue
        case $file in
            *".$2") echo "$file" ;;
            scripts/* | .ci/*)
                IFS= read -r line <"$file" || true
                case $line in "#!"*"$1"*) echo "$file" ;; esac
                ;;
        esac
    done
}

shell_scripts() {
    local files
    mapfile -t files < <(files_of bash sh)
    "$venv/bin/shellcheck" --external-sources "${files[@]}"
}

python_files() {
    local files
    mapfile -t files < <(files_of python3 py)
    "$venv/bin/ruff" format --check "${files[@]}"
    "$venv/bin/ruff" check "${files[@]}"
    mapfile -t files < <(printf '%s\n' "${files[@]}" | grep -Ev "^($in_home_assistant)/")
    "$venv/bin/mypy" --strict --scripts-are-modules --cache-dir "$cache/mypy" "${files[@]}"
}

# What runs in Home Assistant's Python and imports from there.
in_home_assistant='custom_components|crates/python|tests/home_assistant|tests/integration'

home_assistant_python_files() {
    export MYPYPATH=.:crates/python/python:crates/python/tests
    local strict=(scripts/in-home-assistant unit mypy --strict --explicit-package-bases)
    "${strict[@]}" --cache-dir "$cache/mypy-home-assistant" custom_components tests/home_assistant
    MYPYPATH=${MYPYPATH#.:} "${strict[@]}" --cache-dir "$cache/mypy-package" crates/python/python
}

# What Home Assistant's own check and the store's would say.
integration() {
    scripts/in-home-assistant ha scripts/check-integration --self-test
    scripts/in-home-assistant ha scripts/check-integration
}

# The page's types and form, and those of its tests.
page() {
    provision_node
    provision_npm web
    (cd web && node_modules/.bin/tsc --noEmit)
    web/node_modules/.bin/prettier --config web/.prettierrc.json --check --log-level warn web tests/page scripts/*-page.mjs
    echo "sound"
}

# No file names the host of a package registry: a machine's own settings say where packages come
# from. Cargo writes its registry's name into the lock file itself.
package_hosts() {
    local hosts='n[p]mjs[.](org|com)|p[y]pi[.]org|p[y]thonh[o]sted[.]|d[e]bian[.](org|net)'
    hosts+='|(static|index)[.]crates|crates[.]io'
    if git grep --untracked -nIiE "$hosts" -- . ':!Cargo.lock' ':!fuzz/Cargo.lock'; then
        fail "these lines name the host of a package registry"
    fi
    echo "none"
}

layers() {
    scripts/check-layers --self-test
    scripts/check-layers
}

generated() {
    scripts/generate --check
    scripts/generate-integration --check
    scripts/generate-brand --check
}

formatting() {
    cargo fmt --all --check
    [ ! -e fuzz/Cargo.toml ] || cargo fmt --manifest-path fuzz/Cargo.toml --check
}

fuzz_targets() {
    if [ -e fuzz/Cargo.toml ]; then
        cargo clippy --manifest-path fuzz/Cargo.toml --all-targets -- -D warnings
    else
        echo "none yet"
    fi
}

part "Rust" provision_rust fmt clippy
part "Debian packages" provision_debian venv=python3-venv node=nodejs npm=npm
part "Python tools" provision_venv lint
part "package hosts" package_hosts
part "shell" shell_scripts
part "Python" python_files
part "Home Assistant" provision_home_assistant ha unit
part "page" page
part "Python in Home Assistant" home_assistant_python_files
part "integration" integration
part "formatting" formatting
part "layers" layers
part "generated parts" generated
part "clippy" cargo clippy --workspace --all-targets --locked -- -D warnings
part "clippy, fuzz targets" fuzz_targets
part "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace --locked
part "cargo-deny" provision_cargo_tool cargo-deny 0.20.2
part "dependencies" cargo deny --locked check --hide-inclusion-graph --allow unused-wrapper bans licenses sources
