"""Write docs/configuration.md from the settings themselves; a test holds the two together.

python scripts/list_settings.py
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from seedtrust.settings import PREFIX, Settings

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
HEAD: Final = """# Configuration

Every choice of an installation is an environment variable. They are read once, at the start; if one
is missing or wrong, nothing starts and one message lists all that must be put right. With
`SEEDTRUST_ENV=production` there are no defaults for secrets and addresses, and an unknown
`SEEDTRUST_` variable is refused, since it is most likely a slip of the pen. The demo needs none of
them: it makes its secrets once and keeps them in its data folder.

Sizes, times and counts carry their unit in the name. `scripts/list_settings.py` writes this page.

| Variable | Without it | Is |
|---|---|---|
"""


def default_of(field: FieldInfo) -> str:
    """Return a setting's default as people write it; a dash where the demo makes one up."""
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        value = str(value).lower()
    return "–" if value in {"", None} else f"`{value}`"


def page() -> str:
    """Return the whole page."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {default_of(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
