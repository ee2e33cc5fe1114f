#!/usr/bin/env bash
# Install the named Debian packages that are missing, as root or through sudo.
set -euo pipefail

missing=()
for package in "$@"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

by_hand="Run as root: apt-get update && apt-get install ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    printf 'These programs are needed and this is not Debian, so install them by hand: %s\n' "${missing[*]}" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root=(sudo -n)
elif command -v sudo >/dev/null && [ -t 0 ] && [ -z "${CI:-}" ]; then
    root=(sudo)
else
    printf 'Packages are missing and this user may not install them. %s\n' "$by_hand" >&2
    exit 1
fi

printf 'Installing Debian packages: %s\n' "${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1
}
if ! { apt update && apt install --yes --no-install-recommends "${missing[@]}"; }; then
    tail -n 15 "$log" >&2
    printf 'The packages could not be installed; see above. %s\n' "$by_hand" >&2
    exit 1
fi
