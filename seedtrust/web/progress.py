"""How far the sample journeys of a demo have been played, read from a small file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

_NAME: Final = "progress.json"


@dataclass(frozen=True)
class Played:
    """Days played of days to play, and the business day that the play has reached."""

    done: int
    total: int
    day: date | None

    @property
    def is_over(self) -> bool:
        """Tell whether everything has been played."""
        return self.done >= self.total


def read_progress(data_dir: Path) -> Played | None:
    """Return how far the play is, or None where nothing is played or the file says nothing."""
    try:
        held = json.loads((data_dir / _NAME).read_text(encoding="utf-8"))
        day = str(held["day"])
        return Played(
            int(held["done"]), int(held["total"]), date.fromisoformat(day) if day else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
