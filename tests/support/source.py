"""The project's own source, for tests that read it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ("seedtrust", "alembic", "scripts", "bench", "tests")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Return every Python file below the folders, in order."""
    found = [path for folder in folders or CODE for path in (ROOT / folder).rglob("*.py")]
    return tuple(sorted(path for path in found if "__pycache__" not in path.parts))


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    """Return a path as people write it: relative to the top of the project."""
    return path.relative_to(ROOT).as_posix()


@cache
def functions_of(path: Path) -> tuple[Function, ...]:
    """Return every function of a file, methods and inner ones included."""
    return tuple(node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def data_files(*folders: str) -> tuple[Path, ...]:
    """Return every file below the folders that is not Python, in order."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return tuple(
        sorted(p for p in found if p.suffix not in {".py", ".pyc"} and "__pycache__" not in p.parts)
    )
