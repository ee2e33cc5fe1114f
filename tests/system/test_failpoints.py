"""Every call to the outside and every commit has a named place on both sides of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from operator import gt, itemgetter, lt
from pathlib import Path
from typing import Final

import pytest

from seedtrust.core import failpoints
from seedtrust.core.failpoints import POINTS, armed, reach, watched
from tests.support.source import Function, functions_of, name_of, python_files, tree_of

Side = Callable[[int, int], bool]
# What leaves this process, by the module or the method that is called.
MODULES: Final = frozenset({"requests", "httpx", "session", "_session", "http", "_http"})
VERBS: Final = frozenset({"delete", "get", "patch", "post", "put", "request", "send"})
METHODS: Final = frozenset(
    {"iterdir", "read_bytes", "rename", "send_message", "urlopen", "write_bytes"}
)
REPLACE: Final = "replace"  # of a path with its one argument; that of a text has two
# Strings of the simulator, which no bank has, and what only makes or looks at our own half files.
NOT_THE_BANK: Final = frozenset({"HttpSandboxControl"})
# What reads a file of the package itself.
NOT_OUTSIDE: Final = frozenset({"seedtrust/gateways/profile.py"})
# What may begin or end a transaction, each with its reason.
COMMITS: Final[dict[str, str]] = {
    "seedtrust/ext.py:in_transaction": "the one way to commit, with a place on both sides",
    "seedtrust/ext.py:reading": "only reads",
    "seedtrust/jobs/leases.py:_renewed": "a lease, beside the work, with places of its own",
}


def reached(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the name and line of every place that a piece of source passes."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "reach"
            and len(node.args) == 1
        ):
            name = node.args[0]
            assert isinstance(name, ast.Constant), f"line {node.lineno}: a place has a fixed name"
            yield str(name.value), node.lineno


def passes_points(path: Path) -> bool:
    return "failpoints import" in path.read_text(encoding="utf-8")


def is_outside(call: ast.Call) -> bool:
    """Tell whether a call leaves this process."""
    called = call.func
    if not isinstance(called, ast.Attribute):
        return False
    of = called.value
    owner = of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")
    if owner in MODULES and called.attr in VERBS:
        return True
    is_move = called.attr == REPLACE and len(call.args) == 1 and not call.keywords
    return is_move or called.attr in METHODS


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))


def called_name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_covered(path: Path, function: Function, line: int, side: Side) -> bool:
    """Tell whether a line has a place on that side of it, in its function or in all callers."""
    if any(side(at, line) for _name, at in reached(function)):
        return True
    if not function.name.startswith("_"):
        return False
    callers = [
        (caller, call.lineno)
        for caller in functions_of(path)
        for call in calls_in(caller)
        if called_name(call) == function.name
    ]
    return bool(callers) and all(is_covered(path, caller, at, side) for caller, at in callers)


def bare_calls(path: Path) -> list[str]:
    """Return the outside calls of a module that lack a place before or behind them."""
    of_the_simulator = {
        method
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and node.name in NOT_THE_BANK
        for method in ast.walk(node)
    }
    return [
        f"{name_of(path)}:{call.lineno} in {function.name}"
        for function in functions_of(path)
        if function not in of_the_simulator
        for call in calls_in(function)
        if is_outside(call)
        and not all(is_covered(path, function, call.lineno, side) for side in (lt, gt))
    ]


def test_the_list_of_places_is_the_one_of_the_source() -> None:
    found = {
        name
        for path in python_files("seedtrust")
        if passes_points(path)
        for name, _line in reached(tree_of(path))
    }
    assert found == POINTS


@pytest.mark.parametrize("path", python_files("seedtrust/gateways"), ids=name_of)
def test_every_call_to_the_outside_has_a_place_on_both_sides(path: Path) -> None:
    assert name_of(path) in NOT_OUTSIDE or bare_calls(path) == []


def test_a_call_without_places_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.support.source

    monkeypatch.setattr(tests.support.source, "ROOT", tmp_path)
    path = tmp_path / "other_bank.py"
    path.write_text(
        "def pay():\n"
        "    reach('wire.before_call')\n"
        "    requests.post('x')\n"
        "def look():\n"
        "    reach('wire.before_lookup')\n"
        "    _get()\n"
        "    reach('wire.looked_up')\n"
        "def _get():\n"
        "    requests.get('x')\n"
    )
    assert bare_calls(path) == ["other_bank.py:3 in pay"]


def test_only_what_is_listed_commits_and_all_work_does_between_two_places() -> None:
    found = {
        f"{name_of(path)}:{function.name}"
        for path in python_files("seedtrust")
        if not name_of(path).startswith("seedtrust/sandbox/")
        for function in functions_of(path)
        for call in calls_in(function)
        if called_name(call) in {"begin", "commit"} and _is_of_a_session(call)
    }
    assert found == COMMITS.keys()
    function = next(f for f in functions_of(_ext()) if f.name == "in_transaction")
    places = [name for name, _line in sorted(reached(function), key=itemgetter(1))]
    assert places == ["unit.before_commit", "unit.after_commit"]


def _ext() -> Path:
    return next(path for path in python_files("seedtrust") if name_of(path) == "seedtrust/ext.py")


def _is_of_a_session(call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return name in {"db", "session"}


def test_a_place_runs_what_it_is_armed_with_and_tells_who_watches() -> None:
    seen: list[str] = []
    with armed("file.sealed", lambda: seen.append("armed")), watched(seen.append):
        reach("file.sealed")
        reach("file.begun")
    reach("file.sealed")
    assert seen == ["file.sealed", "armed", "file.begun"]
    assert not failpoints._watching  # noqa: SLF001 - nobody is left behind


def test_a_place_that_is_not_on_the_list_cannot_be_armed() -> None:
    with pytest.raises(KeyError), armed("file.lost", lambda: None):
        reach("file.sealed")
