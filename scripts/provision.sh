# shellcheck shell=bash
# Sourced by the scripts that `make` calls. Brings what a job needs onto the machine and fails with
# the command to run if it may not; nothing is skipped. What is costly to make stands in a cache
# outside the tree, under a name that changes when its contents would.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/heatmeter
python=${PYTHON:-python3}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Checks that cargo and the named rustup components are there.
provision_rust() {
    local component
    command -v cargo >/dev/null || fail "cargo is not installed; heatmeter needs Rust 1.95 or newer"
    for component in "$@"; do
        cargo "$component" --version >/dev/null 2>&1 && continue
        command -v rustup >/dev/null || fail "cargo $component is not installed"
        rustup component add "${component/fmt/rustfmt}" \
            || fail "cargo $component is missing; run: rustup component add ${component/fmt/rustfmt}"
    done
    rustc --version
}

# provision_debian [COMMAND=PACKAGE...]: installs the packages whose command is missing. The command
# `venv` stands for the Python module of that name; one that begins with a slash is a path, where `*`
# stands for any name.
provision_debian() {
    local pair missing=()
    for pair in "$@"; do
        case ${pair%%=*} in
            venv) "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=("${pair#*=}") ;;
            /*) compgen -G "${pair%%=*}" >/dev/null || missing+=("${pair#*=}") ;;
            *) command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}") ;;
        esac
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "nothing missing"
        return
    fi
    if ! command -v apt-get >/dev/null; then
        fail "not installed: ${missing[*]} (names of the Debian packages)"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        fail "not installed: ${missing[*]}; run: sudo apt-get install ${missing[*]}"
    fi
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}"
}

# provision_venv NAME: makes the virtual environment for scripts/requirements-NAME.txt, once, and
# sets `venv` to its directory.
provision_venv() {
    local requirements=scripts/requirements-$1.txt key
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
        || fail "Python 3.11 or newer is needed; PYTHON=/path/to/python3 chooses one"
    key=$( ("$python" -c 'import sys; print(sys.version, sys.executable)'; cat "$requirements") \
        | sha256sum | cut -c1-12)
    venv=$cache/venv/$1-$key
    mkdir -p "$cache/venv"
    (
        flock 9
        [ ! -e "$venv/.complete" ] || exit 0
        echo "installing $requirements into $venv"
        rm -rf "$venv"
        "$python" -m venv "$venv"
        "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check \
            --requirement "$requirements"
        touch "$venv/.complete"
    ) 9>"$cache/venv/$1.lock"
    echo "$venv"
}

# Checks that Node is there, and new enough.
provision_node() {
    { command -v node && command -v npm; } >/dev/null \
        || fail "node and npm are not installed; the page needs Node 18 or newer (Debian: nodejs, npm)"
    node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)' \
        || fail "node $(node --version) is too old; the page needs Node 18 or newer"
    echo "node $(node --version), npm $(npm --version)"
}

# provision_npm FOLDER: installs what the folder's lock file says, unless that is there already.
provision_npm() {
    local folder=$1 stamp
    stamp=$(sha256sum "$folder/package.json" "$folder/package-lock.json" | sha256sum | cut -c1-16)
    (
        flock 9
        [ "$(cat "$folder/node_modules/.stamp" 2>/dev/null)" != "$stamp" ] || exit 0
        npm ci --prefix "$folder" --silent --no-audit --no-fund --ignore-scripts
        echo "$stamp" >"$folder/node_modules/.stamp"
    ) 9>"$folder/.lock"
    echo "$folder"
}

# provision_cargo_tool NAME VERSION: builds a cargo subcommand unless that very version is there,
# and puts it first in PATH.
provision_cargo_tool() {
    local name=$1 version=$2 root=$cache/cargo-tools/$1-$2
    PATH=$root/bin:$PATH
    case "$("$name" --version 2>/dev/null || true)" in
        "$name $version"*) ;;
        *)
            echo "building $name $version; this is done once and takes a few minutes"
            cargo install "$name" --version "$version" --locked --quiet --root "$root"
            ;;
    esac
    echo "$(command -v "$name") $version"
}

# provision_heatmeter: builds the program and sets HEATMETER to it, unless that says already where it
# is. `make test` does, for cargo builds a package alone with other features of its dependencies than
# in the whole workspace, and so would compile all of them again.
provision_heatmeter() {
    if [ -z "${HEATMETER:-}" ]; then
        cargo build --quiet --locked --package heatmeter-cli
        HEATMETER=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/heatmeter
    fi
    [ -x "$HEATMETER" ] || fail "HEATMETER says $HEATMETER, and no program is there"
    export HEATMETER
    echo "$HEATMETER"
}
