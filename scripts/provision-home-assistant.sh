# shellcheck shell=bash
# Sourced by the scripts that `make` calls. Brings Python 3.14 and Home Assistant onto the machine, for the tests
# of the integration. Nothing of it goes into the tree or into the system:
#
#   $cache/debian-KEY/root            Debian with Python 3.14, where the machine itself has none
#   $cache/home-assistant/NAME-KEY    virtual environments, from requirements-home-assistant-NAME.txt
#
# KEY changes when what is in them would. Python 3.14 comes from PATH, else from uv, else, on Debian
# as root, from the release of Debian that has it, unpacked by debootstrap from the mirror that this
# machine's apt uses. What is half made when the power goes is made anew; two runs at once wait for
# each other.
#
# Cold, on two cores: 40 s for Debian (150 MB) and 70 s for each environment (0.9 GB). Warm: 0.1 s.

. scripts/provision.sh

ha_suite=forky
ha_packages=python3,python3-venv,ca-certificates,mosquitto
ha_environments=$cache/home-assistant
ha_root="" # the unpacked Debian, or nothing if the machine's own Python will do
ha_python=""

# ha_suits PYTHON: whether it is one that Home Assistant 2026.11 runs on.
ha_suits() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 14, 2) <= sys.version_info[:3] < (3, 15))' \
        2>/dev/null
}

# Sets `ha_root` and `ha_python`.
provision_home_assistant_python() {
    local found
    for found in "$(command -v python3.14 || true)" \
        "$(uv python find --no-python-downloads '>=3.14.2,<3.15' 2>/dev/null || true)"; do
        if [ -n "$found" ] && ha_suits "$found"; then
            ha_python=$found
            return
        fi
    done
    if command -v uv >/dev/null && uv python install --quiet 3.14 2>/dev/null; then
        ha_python=$(uv python find 3.14)
        if ha_suits "$ha_python"; then return; fi
    fi
    provision_home_assistant_debian
}

# Where apt gets this machine's Debian from.
ha_mirror() {
    local release
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016 # apt-get's own variables
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)' \
        'Identifier: Packages' | sed -n "s/^Debian $release main //p" | head -n 1
}

provision_home_assistant_debian() {
    local key debian mirror
    local wanted="Home Assistant needs Python 3.14 (3.14.2 or newer): put python3.14 or uv into PATH"
    command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] || fail "$wanted, or run this as root on Debian"
    unshare --mount true 2>/dev/null \
        || fail "$wanted; unpacking Debian's needs the right to mount, which this container lacks"
    key=$(echo "$ha_suite $ha_packages $(dpkg --print-architecture)" | sha256sum | cut -c1-12)
    debian=$cache/debian-$key
    ha_root=$debian/root
    ha_python=/usr/bin/python3
    mkdir -p "$debian"
    [ ! -e "$debian/.complete" ] || return 0
    (
        flock 9
        [ ! -e "$debian/.complete" ] || exit 0
        provision_debian debootstrap=debootstrap
        mirror=$(ha_mirror)
        if [ -z "$mirror" ]; then
            apt-get update --quiet=2
            mirror=$(ha_mirror)
        fi
        [ -n "$mirror" ] || fail "$wanted; apt's settings name no Debian mirror to take it from"
        echo "unpacking Debian $ha_suite into $ha_root"
        rm -rf --one-file-system "$ha_root"
        # In a mount namespace of its own: what it mounts is gone when it ends, however it ends.
        unshare --mount debootstrap --variant=minbase --include="$ha_packages" \
            "$ha_suite" "$ha_root" "$mirror" /usr/share/debootstrap/scripts/sid \
            >"$debian/debootstrap.log" 2>&1 \
            || fail "debootstrap failed; the end of its log: $(tail -n 5 "$debian/debootstrap.log")"
        rm -rf "$ha_root"/var/cache/apt/archives/*.deb "$ha_root"/var/lib/apt/lists/* \
            "$ha_root"/usr/share/doc/* "$ha_root"/usr/share/man/* "$ha_root"/usr/share/locale/*
        touch "$debian/.complete"
    ) 9>"$debian/.lock"
    ha_in_root "$ha_python" -c 'import sys; sys.exit(sys.version_info < (3, 14, 2))' \
        || fail "Debian $ha_suite has another Python than 3.14"
}

# ha_in_root COMMAND [ARGUMENT...]: runs it where Home Assistant's Python is, with the tree and the
# cache at their own places. The mounts are this command's own and end with it.
ha_in_root() {
    if [ -z "$ha_root" ]; then
        "$@"
        return
    fi
    # shellcheck disable=SC2016 # for the inner shell
    ha_root=$ha_root ha_places="$PWD $cache ${CARGO_TARGET_DIR:-} ${PIP_FIND_LINKS:-}" \
        unshare --mount bash -euc '
            for place in /proc /dev /sys /tmp $ha_places; do
                [ -d "$place" ] || continue
                mkdir -p "$ha_root$place"
                mount --rbind "$place" "$ha_root$place"
            done
            exec chroot "$ha_root" /usr/bin/env --chdir="$PWD" "$@"' bash "$@"
}

# provision_home_assistant NAME...: makes the virtual environments, `ha` for Home Assistant as people
# run it and `unit` for tests inside one process. They are then at "$(ha_environment NAME)".
provision_home_assistant() {
    local name
    provision_home_assistant_python
    for name in "$@"; do provision_home_assistant_environment "$name"; done
}

ha_requirements() {
    echo "scripts/requirements-home-assistant-$1.txt"
}

ha_environment() {
    local key
    key=$( (echo "$ha_root $ha_python"; cat "$(ha_requirements "$1")") | sha256sum | cut -c1-12)
    echo "$ha_environments/$1-$key"
}

provision_home_assistant_environment() {
    local name=$1 environment
    environment=$(ha_environment "$name")
    mkdir -p "$ha_environments"
    [ ! -e "$environment/.complete" ] || return 0
    (
        flock 9
        [ ! -e "$environment/.complete" ] || exit 0
        echo "installing $(ha_requirements "$name") into $environment"
        rm -rf "$environment"
        if [ -n "$ha_root" ]; then ha_borrow_network; fi
        ha_in_root "$ha_python" -m venv "$environment"
        # The file lists everything, so there is nothing to resolve; Home Assistant's own pins are
        # tighter than its packages' and would not all resolve.
        ha_in_root "$environment/bin/pip" install --quiet --no-input --disable-pip-version-check \
            --no-deps --requirement "$(ha_requirements "$name")"
        touch "$environment/.complete"
    ) 9>"$ha_environments/$name.lock"
}

# Gives the unpacked Debian this machine's way to the package registry.
ha_borrow_network() {
    local file
    for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
        [ ! -e "$file" ] || cp -L "$file" "$ha_root$file"
    done
}
