"""Where templates and migrations lie: inside the installed package, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent.parent


def templates_folder() -> Path:
    """Return the folder of the Jinja templates. Raises FileNotFoundError when there is none."""
    return _folder("templates", beside="templates")


def migrations_folder() -> Path:
    """Return the folder of the migrations. Raises FileNotFoundError when there is none."""
    return _folder("migrations", beside="alembic")


def _folder(inside: str, *, beside: str) -> Path:
    """Look inside the package first; paths, since an editable install has no such modules."""
    candidates = (_PACKAGE / inside, _PACKAGE.parent / beside)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    listed = " nor ".join(str(candidate) for candidate in candidates)
    message = f"The installation is incomplete: there is neither {listed}. Install it again."
    raise FileNotFoundError(message)
