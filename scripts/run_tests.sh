#!/usr/bin/env bash
# Run pytest beside a private MariaDB and a private Redis; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

have() {
    PATH="$PATH:/usr/local/sbin:/usr/sbin" command -v "$1" >/dev/null
}

# The server's core package has the program but no service, so nothing is started behind our back.
needed=()
{ have mariadbd && have mariadb-install-db && have my_print_defaults; } || needed+=(mariadb-server-core mariadb-client-core)
have redis-server || needed+=(redis-server)
have chromium || needed+=(chromium)
[ ${#needed[@]} -eq 0 ] || scripts/install_packages.sh "${needed[@]}"

exec .venv/bin/python scripts/with_services.py -- .venv/bin/python -m pytest "$@"
