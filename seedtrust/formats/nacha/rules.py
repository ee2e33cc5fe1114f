"""Which transaction codes a batch may hold and what each asks of an entry."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from seedtrust.formats.nacha.codes import (
    SEC_CODES,
    TRANSACTION_CODES,
    Account,
    Meaning,
    ServiceClass,
)

#: What the widths of the control fields allow.
MAX_BATCH_RECORDS = 999_999
MAX_BATCHES = 999_999
MAX_BLOCKS = 999_999
MAX_FILE_RECORDS = 99_999_999
MAX_TOTAL_CENTS = 999_999_999_999
MAX_ENTRY_CENTS = 9_999_999_999
MAX_ADVICE_CENTS = 999_999_999_999
HASH_MODULUS = 10_000_000_000
SAME_DAY_LIMIT_CENTS = 100_000_000

# They name the payment in their identification, so they need no remittance to make sense.
_ACKNOWLEDGEMENTS = frozenset({"ACK", "ATX"})


class EntryRule(NamedTuple):
    """What follows from the transaction code of an entry in its batch; amounts in cents.

    `is_inbound` marks the codes of returns and notifications of change, `takes_remittance` the
    entries that may have one 05 addenda and need no other, `is_plain` those that need none.
    """

    is_debit: bool
    least_cents: int
    most_cents: int
    wants_addenda: bool
    is_inbound: bool
    takes_remittance: bool
    is_plain: bool


def _rule(sec_code: str, code: int) -> EntryRule | None:
    row = TRANSACTION_CODES.get(code)
    sec = SEC_CODES.get(sec_code)
    if row is None or (row.account is Account.ADVICE) is not (sec_code == "ADV"):
        return None
    is_inbound = row.meaning is Meaning.RETURN_OR_CHANGE
    if sec is None:
        bounds = (0, MAX_ENTRY_CENTS)
        plain = {"takes_remittance": False, "is_plain": False}
        return EntryRule(row.is_debit, *bounds, is_inbound, is_inbound, **plain)
    if sec_code == "COR" and not is_inbound:
        return None
    if row.meaning is Meaning.ZERO_DOLLAR and not sec.is_corporate:
        return None
    least, most = 0, MAX_ADVICE_CENTS if sec_code == "ADV" else MAX_ENTRY_CENTS
    if sec_code == "COR" or row.meaning in {Meaning.PRENOTE, Meaning.ZERO_DOLLAR}:
        most = 0
    elif row.meaning is Meaning.LIVE and sec_code != "ADV":
        least = 1
    is_bare = row.meaning is Meaning.ZERO_DOLLAR and sec_code not in _ACKNOWLEDGEMENTS
    wants_addenda = is_inbound or is_bare or bool(sec.required)
    takes_remittance = sec.max_remittance > 0 and not is_inbound and not sec.required
    return EntryRule(
        row.is_debit,
        least,
        most,
        wants_addenda,
        is_inbound,
        takes_remittance,
        is_plain=takes_remittance and not wants_addenda,
    )


def _fits(service_class: int, *, is_debit: bool) -> bool:
    if service_class == ServiceClass.CREDITS.value:
        return not is_debit
    return is_debit or service_class != ServiceClass.DEBITS.value


@lru_cache(maxsize=256)
def entry_rules(sec_code: str, service_class: int) -> dict[str, EntryRule]:
    """Return the rule of every transaction code, as two digits, that the batch may hold.

    A batch of unknown class may hold any code and any amount.
    """
    found = {}
    for code in TRANSACTION_CODES:
        rule = _rule(sec_code, code)
        if rule is not None and _fits(service_class, is_debit=rule.is_debit):
            found[f"{code:02d}"] = rule
    return found


def refusal_of_code(sec_code: str, service_class: int, code: str) -> str:
    """Return why a transaction code is not among the rules of its batch, as a sentence."""
    row = TRANSACTION_CODES.get(int(code)) if code.isdecimal() else None
    if row is None:
        return f"There is no transaction code {code}."
    if _rule(sec_code, row.code) is None:
        return f"The transaction code {code} ({row.meaning}) may not stand in a {sec_code} batch."
    kind = "debit" if row.is_debit else "credit"
    return f"The transaction code {code} is a {kind}, but the service class is {service_class}."
