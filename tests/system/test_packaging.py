"""What is declared for the package, held against the tree; and the wheel, installed elsewhere."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from configparser import ConfigParser
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seedtrust.core import migrations
from seedtrust.core.db import make_engine
from tests.support.source import ROOT, data_files, name_of, python_files, tree_of

# Folders of the tree and what they are called inside the installed package.
INSIDE: Final = {"seedtrust": "seedtrust", "alembic": "seedtrust/migrations"} | {
    "templates": "seedtrust/templates"
}
# Used by name only: a driver in an address, a transport of the queue, a server that is executed.
USED_BY_NAME: Final = frozenset({"pymysql", "redis", "gunicorn"})
# Chosen for the product and not imported yet, each with what it waits for.
AWAITED: Final = {
    "flask-babel": "the texts are English; translations come with the second language",
    "flask-jwt-extended": "tokens are made with PyJWT, on which it stands",
    "pywebpush": "notices go by mail first, by push with the reference client",
}
LOCK: Final = ROOT / "requirements" / "dev.lock"


@cache
def declared() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def listed(section: str, option: str) -> list[str]:
    return [line for line in declared()[section][option].splitlines() if line]


def requirements() -> list[Requirement]:
    return [Requirement(line) for line in listed("options", "install_requires")]


def extra_requirements(*extras: str) -> list[Requirement]:
    section = "options.extras_require"
    names = extras or tuple(declared()[section])
    return [Requirement(line) for extra in names for line in listed(section, extra)]


def locked() -> dict[str, str]:
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return {
        canonicalize_name(name): release for name, _, release in (x.partition("==") for x in lines)
    }


def inside(path: Path) -> str:
    """Return a file's name inside the wheel."""
    folder, _, rest = name_of(path).partition("/")
    return f"{INSIDE[folder]}/{rest}"


def expected_files() -> set[str]:
    return {inside(path) for path in (*python_files(*INSIDE), *data_files(*INSIDE))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the source, so that the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    for name in INSIDE:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*command, str(source)], check=True, capture_output=True, text=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment that borrows our libraries, and return its folder."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    # A path file does not run the path files of the folder it names, so the checkout stays out.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(folder), "--quiet"]
    options = ["--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True, capture_output=True)
    return folder


def run_elsewhere(
    installed: Path, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment from a folder that has nothing to do with the checkout."""
    environment = {
        "PATH": f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "SEEDTRUST_DATA_DIR": str(folder / "data"),
    }
    program = str(installed / "bin" / arguments[0])
    return subprocess.run(
        [program, *arguments[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_listed_packages_equal_the_tree() -> None:
    folders = {path.parent for path in python_files("seedtrust", "alembic")}
    expected = {inside(folder / "x").rpartition("/")[0].replace("/", ".") for folder in folders}
    assert set(listed("options", "packages")) == expected | {"seedtrust.templates"}


def test_packages_are_listed_in_order() -> None:
    packages = listed("options", "packages")
    assert packages == sorted(packages)


def test_every_import_of_a_library_is_declared() -> None:
    wanted = {canonicalize_name(requirement.name) for requirement in requirements()}
    extras = extra_requirements("assets", "streams")
    optional = {canonicalize_name(requirement.name) for requirement in extras}
    providers = packages_distributions()
    imported: dict[str, str] = {}
    for path in python_files("seedtrust", "alembic"):
        for node in ast.walk(tree_of(path)):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            imported |= {module.partition(".")[0]: name_of(path) for module in modules}
    unknown = {
        module: place
        for module, place in imported.items()
        if module not in sys.stdlib_module_names
        and module not in {"", "__future__", "seedtrust"}
        and not {canonicalize_name(name) for name in providers.get(module, [])}
        & (wanted | optional)
    }
    assert unknown == {}


def test_every_declared_library_is_used() -> None:
    text = "\n".join(path.read_text() for path in python_files("seedtrust", "alembic"))
    words = set(re.findall(r"\w+", text))
    used = {
        canonicalize_name(distribution)
        for module, distributions in packages_distributions().items()
        for distribution in distributions
        if module in words
    }
    idle = {canonicalize_name(requirement.name) for requirement in requirements()} - used
    assert idle - USED_BY_NAME == AWAITED.keys()


def test_every_library_has_a_lower_and_an_upper_bound() -> None:
    loose = [
        str(requirement)
        for requirement in requirements()
        if {specifier.operator for specifier in requirement.specifier} != {">=", "<"}
    ]
    assert loose == []


def test_the_lock_holds_names_and_versions_and_nothing_else() -> None:
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    assert [
        line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)
    ] == []


def test_the_lock_satisfies_what_is_declared() -> None:
    wanted = [r for r in (*requirements(), *extra_requirements()) if r.name != "gevent"]
    broken = [
        str(requirement)
        for requirement in wanted
        if locked().get(canonicalize_name(requirement.name), "0") not in requirement.specifier
    ]
    assert broken == []


def test_this_environment_is_the_locked_one() -> None:
    different = {
        name: version(name) for name, release in locked().items() if version(name) != release
    }
    assert different == {}, "run: make install"


@pytest.mark.slow_install
def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected_files()


@pytest.mark.slow_install
def test_an_installed_wheel_says_what_it_can_do(installed: Path, tmp_path: Path) -> None:
    done = run_elsewhere(installed, tmp_path, "seedtrust", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "demo" in done.stdout


@pytest.mark.slow_install
def test_an_installed_wheel_is_used_in_place_of_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    program = "import seedtrust.core.locations as l; print(l.templates_folder())"
    done = run_elsewhere(installed, tmp_path, "python", "-c", program)
    assert done.stdout.strip().endswith("site-packages/seedtrust/templates")
    assert done.stdout.startswith(str(installed))


@pytest.mark.slow_install
def test_an_installed_wheel_migrates_a_database(installed: Path, tmp_path: Path) -> None:
    done = run_elsewhere(installed, tmp_path, "seedtrust", "db", "upgrade")
    assert done.returncode == 0, done.stderr
    engine = make_engine(f"sqlite:///{tmp_path / 'data' / 'seedtrust.db'}")
    with engine.begin() as connection:
        assert migrations.current(connection) == migrations.head()
    engine.dispose()


@pytest.mark.slow_install
def test_an_installed_wheel_serves_pages(installed: Path, tmp_path: Path) -> None:
    program = (
        "from seedtrust.app import create_app; from seedtrust.settings import Settings; "
        "client = create_app(Settings.from_env()).test_client(); "
        "print(client.get('/health/live').status_code, client.get('/admin/sign-in').status_code)"
    )
    run_elsewhere(installed, tmp_path, "seedtrust", "db", "upgrade")
    done = run_elsewhere(installed, tmp_path, "python", "-c", program)
    assert done.stdout.splitlines()[-1:] == ["200 200"], done.stderr
