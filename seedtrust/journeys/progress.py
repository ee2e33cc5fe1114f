"""How far the demo's play has come, in a small file that the pages and the terminal read."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

_NAME = "progress.json"


@dataclass(frozen=True)
class Progress:
    """Days played of days to play, the business date, and the staff's logins."""

    done: int
    total: int
    day: str
    staff: list[dict[str, str]] = field(default_factory=list)


def write_progress(data_dir: Path, progress: Progress) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    write_json(data_dir / _NAME, asdict(progress))


def read_progress(data_dir: Path) -> Progress | None:
    """Return what was written last, or None before the first time."""
    path = data_dir / _NAME
    return Progress(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def write_json(path: Path, value: object) -> None:
    """Write JSON beside its place, readable by its owner alone, then move it there."""
    draft = path.with_suffix(".part")
    handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as sink:
        json.dump(value, sink, indent=2)
    draft.replace(path)
