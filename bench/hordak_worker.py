"""A process of another library: it posts with django-hordak for as many seconds as it is told.

It runs in an environment of its own, which `bench.peer` makes, and imports nothing of the product.
The first line that it is sent is the database's address; `prepare` as its argument makes tables
and accounts, otherwise each further line is a number of seconds and is answered with a rate.
"""

# mypy: ignore-errors
# The library is not installed where types are checked.

from __future__ import annotations

import os
import random
import sys
import time
from urllib.parse import unquote, urlsplit

import pymysql

ACCOUNTS = 200


def set_up(address: str) -> None:
    """Configure Django for the database at an address."""
    # Django asks for a newer driver of another name and is content with this one.
    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()
    import django  # noqa: PLC0415 - reads the driver that was put in place
    from django.conf import settings  # noqa: PLC0415 - the same

    parts = urlsplit(address)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": parts.path.lstrip("/"),
                "HOST": parts.hostname,
                "PORT": parts.port,
                "USER": parts.username,
                "PASSWORD": unquote(parts.password or ""),
                "OPTIONS": {"isolation_level": "read committed"},
            }
        },
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "mptt",
            "hordak",
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DEFAULT_CURRENCY="USD",
        CURRENCIES=["USD"],
        HORDAK_INTERNAL_CURRENCY="USD",
        SECRET_KEY="no secret",  # noqa: S106 - nothing is signed
        USE_TZ=True,
    )
    django.setup()


def prepare() -> None:
    """Make the tables and the accounts."""
    from django.core.management import call_command  # noqa: PLC0415 - needs settings
    from hordak.models import Account  # noqa: PLC0415 - needs settings

    call_command("migrate", verbosity=0)
    for number in range(ACCOUNTS):
        Account.objects.create(name=f"Case {number}", type="LI", currencies=["USD"], code=None)


def answer() -> None:
    """Post for as long as each line says."""
    from hordak.models import Account  # noqa: PLC0415 - needs settings
    from moneyed import Money  # noqa: PLC0415 - needs settings

    accounts = list(Account.objects.all())
    chance = random.Random(os.getpid())  # noqa: S311 - no secret
    print("ready", flush=True)
    for line in sys.stdin:
        count, begun = 0, time.perf_counter()
        while (spent := time.perf_counter() - begun) < float(line):
            source, target = chance.sample(accounts, 2)
            source.transfer_to(target, Money(chance.randrange(1, 5_000), "USD"))
            count += 1
        print(count / spent, flush=True)


if __name__ == "__main__":
    set_up(sys.stdin.readline().strip())
    if "prepare" in sys.argv:
        prepare()
    else:
        answer()
