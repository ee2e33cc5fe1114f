#!/usr/bin/env bash
# Make the virtual environment .venv with everything that development needs.
# Works without pip or venv on the machine where Debian's packages can be installed.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3 /usr/bin/python3; do
        if [ -n "$candidate" ] && is_new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or later is needed. Install it, or name it: make install PYTHON=/path/to/python3"
}

is_complete() {
    [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1
}

python=$(find_python)
if ! is_complete; then
    rm -rf .venv
    # Debian ships Python without ensurepip; its own package brings that back.
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        scripts/install_packages.sh python3-venv
    fi
    "$python" -m venv .venv || fail "Python's venv module does not work. Run: apt-get install python3-venv"
fi

pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input --quiet --quiet)
"${pip[@]}" install --no-deps -r requirements/dev.lock
# The package itself stays where it is; only its command is put into the environment.
"${pip[@]}" install --no-deps --no-build-isolation --editable .
