"""The journeys that come with the product."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

# The demo's business date after the play; a button on the pages moves it on.
AFTERWARDS: Final = date(2026, 7, 6)

_DATA = Path(__file__).resolve().parent / "data"


def journey_folders(folder: Path | None = None) -> Sequence[Path]:
    """Return the folders that hold a journey.toml, the shipped ones without an argument.

    A folder that holds one itself counts as one journey.
    """
    root = _DATA if folder is None else folder
    if (root / "journey.toml").exists():
        return [root]
    return sorted(path.parent for path in root.glob("*/journey.toml"))
