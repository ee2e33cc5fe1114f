"""Write docs/errors.md from the family of refusals; a test holds the two together.

python scripts/list_errors.py
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Final

import seedtrust
from seedtrust.core.errors import DomainError, family
from seedtrust.web.problems import HTTP_WORDS, INTERNAL

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "errors.md"
HEAD: Final = """# Refusals

What the API answers when it does not do what it was asked, as problem details (RFC 9457,
`application/problem+json`). `type` is `urn:seedtrust:problem:` and the code; `code` is stable and
meant for programs, `detail` is a sentence for people and may change, `errors` holds messages by
field (`lines.0.amount_cents`), `instance` is the number of the request, also in the header
`X-Request-ID`. Further members are facts about the case at hand. The staff's pages show the same
sentences. The token endpoint answers in OAuth's own form and puts the code beside it.
`scripts/list_errors.py` writes this page.

| Code | Status | Title | When |
|---|---|---|---|
"""


def refusals() -> list[type[DomainError]]:
    """Return every refusal of the product but the family's abstract root, by code."""
    for module in pkgutil.walk_packages(seedtrust.__path__, "seedtrust."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    found = {error for error in family() if error is not DomainError}
    return sorted(found, key=lambda error: error.code)


def page() -> str:
    """Return the whole page."""
    rows = {
        error.code: (error.status, error.title, (error.__doc__ or "").strip().splitlines()[0])
        for error in refusals()
        if error.__module__.startswith("seedtrust.")
    }
    for status, (code, title, detail) in HTTP_WORDS.items():
        rows.setdefault(code, (status, title, detail))
    code, title, detail = INTERNAL
    rows.setdefault(code, (500, title, detail))
    lines = [
        f"| `{code}` | {status} | {title} | {text} |\n"
        for code, (status, title, text) in sorted(rows.items())
    ]
    return HEAD + "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
