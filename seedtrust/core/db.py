"""The database's ground: declarative base, column types, locking and error mapping."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Select,
    String,
    create_engine,
    event,
    false,
    select,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, registry
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import DateTime, TypeDecorator, TypeEngine

Row = TypeVar("Row", bound="Base")

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# A connection that was used this recently is taken to be alive; `is_retryable` covers the rest.
ASK_AFTER_IDLE_SECONDS: Final = 5.0


class Base(DeclarativeBase):
    """The parent of every table of the application."""

    registry = registry(metadata=MetaData(naming_convention=NAMING))


class CentsType(TypeDecorator[int]):
    """Whole cents. MariaDB rounds 1.5 to 2, SQLite stores anything: the driver never sees it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """Refuse everything but an exact int."""
        del dialect
        if value is not None and type(value) is not int:
            message = f"cents must be an int, not {type(value).__name__}"
            raise TypeError(message)
        return value


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored as UTC with microseconds. Naive values are refused."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Keep microseconds on MySQL and MariaDB, which drop them by default."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into naive UTC for the driver."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            message = "instants must be aware"
            raise TypeError(message)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant its zone back."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


# SQLite only numbers rows by itself in an INTEGER key.
Id: Final = BigInteger().with_variant(Integer, "sqlite")
JsonType: Final = JSON


def Ascii(length: int) -> String:  # noqa: N802 - reads as a column type
    """Return a text column compared byte by byte: references, hashes, keys, codes.

    The default collation of MySQL treats upper and lower case and trailing blanks as equal.
    """
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def is_text(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], typed: str
) -> ColumnElement[bool]:
    """Return the condition that an ASCII column holds what somebody typed.

    A text with other characters fits nothing; MariaDB would refuse to compare it.
    """
    return column == typed if typed.isascii() else false()


def one_of(column: str, values: type) -> CheckConstraint:
    """Return a named CHECK that a column holds one of a StrEnum's values."""
    listed = ", ".join(f"'{member.value}'" for member in values)  # type: ignore[attr-defined]
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def make_engine(url: str | URL, *, echo: bool = False) -> Engine:
    """Create an engine with the settings that keep money safe on each database.

    MySQL and MariaDB: READ COMMITTED, UTC, strict mode, 5 s lock wait. SQLite: WAL, foreign keys,
    synchronous FULL, BEGIN IMMEDIATE for units that write.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed, echo=echo, connect_args={"timeout": 30, "check_same_thread": False}
        )
        install_sqlite_events(engine)
        return engine
    engine = create_engine(
        parsed,
        echo=echo,
        isolation_level="READ COMMITTED",
        # Every unit of work ends in COMMIT or ROLLBACK; one more ROLLBACK is one more round trip.
        pool_reset_on_return=None,
        pool_recycle=1800,
        pool_size=10,
        max_overflow=20,
    )
    install_mysql_events(engine)
    return engine


def install_sqlite_events(engine: Engine) -> None:
    """Take transaction control away from the driver and hand it to explicit BEGINs."""

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=FULL",
            "busy_timeout=30000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("seedtrust_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def install_mysql_events(engine: Engine) -> None:
    """Set session variables that a server's defaults may not give."""

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi_connection: Any, _record: Any) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute(
            "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 5, "
            "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,"
            "ERROR_FOR_DIVISION_BY_ZERO'"
        )
        cursor.close()

    @event.listens_for(engine, "checkin")
    def _on_checkin(_dbapi_connection: Any, record: Any) -> None:
        record.info["idle_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(dbapi_connection: Any, record: Any, _proxy: Any) -> None:
        # A server ends idle connections; asking before every unit would cost it a round trip.
        if monotonic() - record.info.get("idle_since", monotonic()) < ASK_AFTER_IDLE_SECONDS:
            return
        try:
            dbapi_connection.ping(reconnect=False)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def lock(session: Session, model: type[Row], row_id: int) -> Row | None:
    """Lock one row and return it with fresh attributes, or None.

    FOR UPDATE alone leaves stale attributes on an object that the session already holds: that is
    a double spend waiting to happen, so every lock goes through here.
    """
    rows = lock_where(session, select(model).where(model.id == row_id))  # type: ignore[attr-defined]
    return rows[0] if rows else None


def lock_where(session: Session, statement: Select[Row]) -> list[Row]:
    """Lock the rows of a statement and return them with fresh attributes, in its order."""
    locked = statement.with_for_update().execution_options(populate_existing=True)
    return list(session.execute(locked).scalars())


_CHECK_CODES: Final = {3819, 4025}
_RETRYABLE_CODES: Final = {1205, 1213, 1020, 2006, 2013}
_LOST_CODES: Final = {1053, 1927, 2002, 2003, 2006, 2013}
_DUPLICATE_CODE: Final = 1062


def driver_code(error: DBAPIError) -> int | None:
    """Return the server's number for an error; SQLite has none."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def is_check_violation(error: DBAPIError) -> bool:
    """Tell whether a CHECK refused the write: 3819 on MySQL, 4025 on MariaDB, text on SQLite."""
    return driver_code(error) in _CHECK_CODES or "CHECK constraint failed" in str(error.orig)


def is_duplicate_key(error: DBAPIError) -> bool:
    """Tell whether a unique key refused the write."""
    return driver_code(error) == _DUPLICATE_CODE or "UNIQUE constraint failed" in str(error.orig)


def is_retryable(error: DBAPIError) -> bool:
    """Tell whether the whole unit of work may be tried again: deadlock, lock wait, busy."""
    if not isinstance(error, OperationalError):
        return False
    return driver_code(error) in _RETRYABLE_CODES or "database is locked" in str(error.orig)


def is_lost(error: Exception) -> bool:
    """Tell whether the database went away or cannot be reached: nothing asked of it is at fault."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or driver_code(error) in _LOST_CODES


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no blanks, for hashing and comparing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
