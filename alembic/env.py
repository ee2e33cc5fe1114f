"""Runs migrations: one transaction each, on SQLite in batch mode, importing nothing of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import DowngradeOps, DropTableOp, MigrationScript, ModifyTableOps
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import (
    BINARY,
    JSON,
    NUMERIC,
    BigInteger,
    Column,
    Engine,
    Integer,
    String,
    event,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.types import TypeEngine

from seedtrust.core.db import Base, CentsType, UtcDateTime, make_engine
from seedtrust.domain import tables

# Metadata is complete only once every table is imported.
MODELS: Final = tables.ALL
config = context.config


def database_url() -> URL:
    """Return the address handed over in code, or the installation's own."""
    given = config.attributes.get("url")
    if given is not None:
        return make_url(given)
    # The command line of Alembic, in a checkout.
    from seedtrust.settings import Settings  # noqa: PLC0415 - only then are settings needed

    return make_url(Settings.from_env().database_url.get_secret_value())


def render_item(kind: str, item: object, _autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types as plain ones, so that old revisions never break on a rename.

    The template of a revision defines the three names where they occur.
    """
    if kind != "type":
        return False
    if isinstance(item, CentsType):
        return "sa.BigInteger()"
    if isinstance(item, UtcDateTime):
        return "INSTANT"
    if isinstance(item, TypeEngine):
        variants = item._variant_mapping  # noqa: SLF001 - SQLAlchemy offers no reader of it
        if isinstance(item, BigInteger) and isinstance(variants.get("sqlite"), Integer):
            return "ID"
        if isinstance(item, String) and _is_ascii(variants.get("mysql")):
            return f"ascii_text({item.length})"
    return False


def _is_ascii(item: object) -> bool:
    return isinstance(item, mysql.VARCHAR) and item.collation == "ascii_bin"


def compare_type(
    _context: MigrationContext,
    _inspected_column: Column[Any],
    _metadata_column: Column[Any],
    inspected_type: TypeEngine[Any],
    metadata_type: TypeEngine[Any],
) -> bool | None:
    """Compare as Alembic does, but for what a database reports under another name.

    MariaDB keeps JSON as LONGTEXT; SQLite reports BINARY as NUMERIC.
    """
    json = isinstance(metadata_type, JSON) and isinstance(inspected_type, mysql.LONGTEXT)
    binary = isinstance(metadata_type, BINARY) and isinstance(inspected_type, NUMERIC)
    return False if json or binary else None


def finish_revision(
    _context: MigrationContext, _revision: object, directives: list[MigrationScript]
) -> None:
    """Give a new revision its number and a way back that MySQL takes."""
    script = directives[0]
    wanted = getattr(config.cmd_opts, "autogenerate", False)
    if wanted and script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        message = "The models equal the database: there is nothing to migrate."
        raise CommandError(message)
    folder = Path(__file__).parent / "versions"
    numbers = [int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]_*.py")]
    script.rev_id = f"{max(numbers, default=0) + 1:04d}"
    if script.downgrade_ops is not None:
        drop_whole_tables(script.downgrade_ops)


def drop_whole_tables(steps: DowngradeOps) -> None:
    """Leave out indexes of tables that go anyway: MySQL keeps an index that a key needs."""
    gone = {step.table_name for step in steps.ops if isinstance(step, DropTableOp)}
    steps.ops = [
        step
        for step in steps.ops
        if not (isinstance(step, ModifyTableOps) and step.table_name in gone)
    ]


def migrate(connection: Connection, engine: Engine) -> None:
    """Run what was asked for on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=engine.dialect.name == "sqlite",
        render_item=render_item,
        compare_type=compare_type,
        compare_server_default=False,
        transaction_per_migration=True,
        process_revision_directives=finish_revision,
    )
    with context.begin_transaction():
        context.run_migrations()


def without_foreign_keys(engine: Engine) -> None:
    """Let SQLite rebuild a table: dropping the old one would delete the rows that refer to it."""

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi_connection: Any, _record: object) -> None:
        dbapi_connection.execute("PRAGMA foreign_keys=OFF")


def refuse_orphans(engine: Engine) -> None:
    """Raise CommandError when a SQLite row refers to nothing, which a rebuild might leave."""
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if rows:
        found = "; ".join(f"{row[0]} row {row[1]} lacks its {row[2]}" for row in rows[:10])
        message = f"{len(rows)} rows refer to missing ones: {found}"
        raise CommandError(message)


def run() -> None:
    """Open the database, migrate it and close it."""
    url = database_url()
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        without_foreign_keys(engine)
    try:
        with engine.connect() as connection:
            migrate(connection, engine)
        if engine.dialect.name == "sqlite":
            refuse_orphans(engine)
    finally:
        engine.dispose()


def sql_script() -> None:
    """Print the statements, for an operator who runs them by hand."""
    context.configure(
        url=database_url(),
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    sql_script()
else:
    run()
