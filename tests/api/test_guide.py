"""The guide for people who build clients: its examples run, its table of refusals is whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from seedtrust.core.errors import DomainError, family
from tests.factories.api_world import PDF, ApiWorld
from tests.support.source import ROOT

GUIDE = (ROOT / "docs" / "api-guide.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}) \| (.+) \|$", re.MULTILINE)


@pytest.fixture
def address(world: ApiWorld) -> Iterator[str]:
    """Serve the application on a real socket."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("/api/v1")[1][:20])
def test_an_example_runs_as_it_stands(
    world: ApiWorld, address: str, tmp_path: Path, example: str
) -> None:
    file = tmp_path / "stub.pdf"
    file.write_bytes(PDF)
    who = "parent" if "/ledger" in example else "carrier"
    answer = subprocess.run(
        ["/bin/bash", "-euc", example],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "BASE": address,
            "EMAIL": world.logins[who].email,
            "PASSWORD": world.logins[who].password,
            "TOKEN": world.program(who).access_token,
            "CASE": world.case,
            "PAYEE": world.payees["carrier"].reference,
            "FILE": str(file),
        },
    )
    body = json.loads(answer.stdout)
    assert "error" not in body, body
    assert "code" not in body, body


def refusals() -> dict[str, tuple[int, str]]:
    """Return status and title of every refusal by its code."""
    import importlib
    import pkgutil

    import seedtrust

    for module in pkgutil.walk_packages(seedtrust.__path__, "seedtrust."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    return {kind.code: (kind.status, kind.title) for kind in family() if kind is not DomainError}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_the_table_of_refusals_equals_the_code() -> None:
    written = {code: (int(status), title) for code, status, title in ROW.findall(GUIDE)}
    assert written == refusals()
