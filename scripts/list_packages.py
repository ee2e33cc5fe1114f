"""Write the packages that the tree holds into setup.cfg, one a line and in order.

    python scripts/list_packages.py

Every package is named there, because setuptools' search would leave templates and migrations out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# Folders beside the package that travel inside it.
BESIDE: Final = ("seedtrust.migrations", "seedtrust.migrations.versions", "seedtrust.templates")


def packages() -> list[str]:
    """Return every package of the tree and the three that lie beside it, in order."""
    found = (ROOT / "seedtrust").rglob("__init__.py")
    inside = [".".join(path.parent.relative_to(ROOT).parts) for path in found]
    return sorted([*inside, *BESIDE])


def main() -> None:
    """Rewrite the list, leaving the rest of the file as it is."""
    path = ROOT / "setup.cfg"
    listed = "".join(f"\n    {name}" for name in packages())
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^packages =(\n    .+)+", f"packages ={listed}", text, count=1))


if __name__ == "__main__":
    main()
