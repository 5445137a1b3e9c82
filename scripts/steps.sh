# shellcheck shell=bash
# Sourced by the scripts that `make` calls. Runs a script in named parts, says how many seconds
# each one took, and closes with a table of them, also when a part has failed.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

part_names=()
part_seconds=()
part_now=""
part_began=0

# part NAME COMMAND [ARGUMENT...]: runs the command as a part. It is not called inside a condition,
# so that `set -e` holds in functions, too.
part() {
    part_now=$1
    part_began=$SECONDS
    shift
    printf '\n==> %s\n' "$part_now"
    "$@"
    part_names+=("$part_now")
    part_seconds+=($((SECONDS - part_began)))
    part_now=""
}

print_parts() {
    local status=$? index
    if [ -n "$part_now" ]; then
        part_names+=("$part_now (failed)")
        part_seconds+=($((SECONDS - part_began)))
    fi
    if [ ${#part_names[@]} -gt 0 ]; then
        printf '\n%-44s %8s\n' "$(basename "$0" .sh)" seconds
        for index in "${!part_names[@]}"; do
            printf '%-44s %8d\n' "${part_names[$index]}" "${part_seconds[$index]}"
        done
        printf '%-44s %8d\n' "all" "$SECONDS"
    fi
    return "$status"
}
trap print_parts EXIT
