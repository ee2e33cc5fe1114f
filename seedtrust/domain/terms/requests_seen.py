"""The few columns of requests that contracts read.

Requests depend on terms, so terms cannot import their tables; a test keeps these columns equal
to the real ones.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table

from seedtrust.core.db import Ascii, CentsType

REQUESTS: Final = Table(
    "disbursement_requests",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("reference", Ascii(15)),
    Column("case_id", BigInteger),
    Column("term_id", BigInteger),
    Column("schedule_item_id", BigInteger),
    Column("state", Ascii(20)),
    Column("amount_cents", CentsType),
    Column("approved_cents", CentsType),
)

# A draft asks for nothing yet; what was refused or withdrawn uses nothing of a cap.
NOT_COUNTED: Final = ("DRAFT", "DENIED", "CANCELLED")
PAID: Final = "PAID"
