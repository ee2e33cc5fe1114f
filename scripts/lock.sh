#!/usr/bin/env bash
# Resolve what setup.cfg asks for in an empty environment and write the versions down.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
pip=("$folder/venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet --quiet)
"${pip[@]}" install --editable '.[assets,test,lint,build]'
{
    printf '# Written by `make lock`: what development and CI install, to the version.\n'
    # Names and versions only: where they come from is the business of each machine.
    "$folder/venv/bin/python" -m pip freeze --all --exclude pip --exclude-editable
} >requirements/dev.lock.new
mv requirements/dev.lock.new requirements/dev.lock
