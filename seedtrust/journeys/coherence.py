"""What must fit together in a journey whose values are each right by themselves."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.permissions import Role
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.journeys.script import BankEventSpec, Journey

# A payment comes back two banking days after it settled, at the earliest.
RETURN_BANKING_DAYS: Final = 2

# The table, the number of the entry in it, and the key that a fault is about.
Place = tuple[str, int, str]


def faults_of(journey: Journey) -> list[tuple[Place, str]]:
    """Return every fault of a journey with its place and reason."""
    found = _Faults()
    found.check(journey)
    return found.found


class _Faults:
    """Collects what does not fit."""

    def __init__(self) -> None:
        self.found: list[tuple[Place, str]] = []

    def fault(self, table: str, index: int, key: str, reason: str) -> None:
        """Note a fault."""
        self.found.append(((table, index, key), reason))

    def check(self, journey: Journey) -> None:
        """Note every fault of a journey."""
        people = {party.key for party in journey.parties}
        paid = {party.key for party in journey.parties if party.account}
        paid |= {payee.key for payee in journey.payees} | {"agency"}
        self._keys_are_unique(journey)
        self._refer("deposits", "from", [spec.sender for spec in journey.deposits], people)
        self._refer("requests", "by", [spec.requester for spec in journey.requests], people)
        self._refer("requests", "payee", [spec.payee for spec in journey.requests], paid)
        self._refer("terms", "payee", [spec.payee for spec in journey.terms], paid | {None})
        told = [spec.payee for spec in journey.bank_events]
        self._refer("bank_events", "payee", told, paid | {None})
        self._bank_events_are_possible(journey)
        self._called_off_without_money(journey)
        changed = [spec.payee for spec in journey.account_changes]
        self._refer("account_changes", "payee", changed, paid)
        self._carriers_ask_for_themselves(journey)
        self._refund_goes_right(journey)
        self._people_are_distinct(journey)
        if not any(party.role == Role.INTENDED_PARENT for party in journey.parties):
            self.fault("parties", 0, "", "a journey needs an intended parent")
        self._dates_are_in_order(journey)

    def _keys_are_unique(self, journey: Journey) -> None:
        seen = {"agency"}
        parties = [party.key for party in journey.parties]
        payees = [payee.key for payee in journey.payees]
        for table, keys in (("parties", parties), ("payees", payees)):
            for index, key in enumerate(keys):
                if key in seen:
                    self.fault(table, index, "key", f"the key “{key}” is used twice")
                seen.add(key)

    def _people_are_distinct(self, journey: Journey) -> None:
        emails = [party.email for party in journey.parties]
        names = [payee.name for payee in journey.payees]
        for table, key, values in (("parties", "email", emails), ("payees", "name", names)):
            for index, value in enumerate(values):
                if value in values[:index]:
                    self.fault(table, index, key, f"the {key} “{value}” is used twice")
        for index, email in enumerate(emails):
            if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
                self.fault("parties", index, "email", f"“{email}” is not an e-mail address")

    def _carriers_ask_for_themselves(self, journey: Journey) -> None:
        carriers = {
            party.key for party in journey.parties if party.role in {Role.DONOR, Role.SURROGATE}
        }
        for index, spec in enumerate(journey.requests):
            if spec.requester in carriers and spec.payee != spec.requester:
                reason = f"“{spec.requester}” asks for herself only; let the agency ask for others"
                self.fault("requests", index, "payee", reason)

    def _called_off_without_money(self, journey: Journey) -> None:
        if journey.cancelled_on is None:
            return
        if journey.deposits or journey.agreement_on or journey.closing or journey.terminated_on:
            reason = "only a journey without money and agreement is called off; end it with closing"
            self.fault("case", 0, "cancelled_on", reason)
        elif journey.last_day > journey.cancelled_on:
            reason = "somebody acts after the journey is called off"
            self.fault("case", 0, "cancelled_on", reason)

    def _refund_goes_right(self, journey: Journey) -> None:
        if journey.closing is None:
            return
        wanted = journey.closing.refund_to
        payers = [
            party.key
            for party in journey.parties
            if party.role in {Role.INTENDED_PARENT, Role.IP_REPRESENTATIVE} and party.account
        ]
        if wanted not in payers[:1]:
            first = f"“{payers[0]}”" if payers else "none of them"
            reason = f"the refund goes to the first intended parent who has an account: {first}"
            self.fault(
                "closing", 0, "refund_to", f"“{wanted}” has no account or comes later; {reason}"
            )

    def _bank_events_are_possible(self, journey: Journey) -> None:
        for index, spec in enumerate(journey.bank_events):
            if spec.acts_on < journey.opened_on:
                reason = f"this is too early: the case opens on {journey.opened_on}"
                self.fault("bank_events", index, "on", reason)
            if spec.settled_on is not None:
                earliest = add_banking_days(spec.settled_on, RETURN_BANKING_DAYS)
                if spec.on < earliest:
                    reason = f"what settled on {spec.settled_on} comes back on {earliest} or later"
                    self.fault("bank_events", index, "on", reason)
            if spec.deposit_on is not None:
                self._deposit_may_bounce(journey, index, spec, spec.deposit_on)

    def _deposit_may_bounce(
        self, journey: Journey, index: int, spec: BankEventSpec, deposit_on: date
    ) -> None:
        that_day = [one for one in journey.deposits if one.on == deposit_on]
        checks = [one for one in that_day if one.rail != ReceiptRail.WIRE]
        if not checks:
            what = "only wires come in then, and a wire does not" if that_day else "no deposit can"
            reason = f"“{deposit_on}” has no deposit that may bounce: {what}"
            self.fault("bank_events", index, "deposit_on", reason)
        elif len(checks) > 1:
            reason = f"two checks come in on {deposit_on}; give them different days"
            self.fault("bank_events", index, "deposit_on", reason)
        elif [other.deposit_on for other in journey.bank_events[:index]].count(deposit_on):
            self.fault("bank_events", index, "deposit_on", "this check bounces already above")
        elif spec.on <= deposit_on:
            reason = f"a check bounces after it came in on {deposit_on}"
            self.fault("bank_events", index, "on", reason)
        elif spec.code and checks[0].rail == ReceiptRail.CHECK:
            reason = "“code” says nothing about a check; only e-checks come back with one"
            self.fault("bank_events", index, "code", reason)

    def _refer(self, table: str, key: str, values: list[Any], known: set[Any]) -> None:
        for index, value in enumerate(values):
            if value not in known:
                listed = ", ".join(sorted(item for item in known if item))
                self.fault(
                    table, index, key, f"“{value}” has no account or is not in the file: {listed}"
                )

    def _dates_are_in_order(self, journey: Journey) -> None:
        first = journey.opened_on
        for table, days in (
            ("milestones", [spec.on for spec in journey.milestones]),
            ("deposits", [spec.on for spec in journey.deposits]),
            ("requests", [spec.on for spec in journey.requests]),
        ):
            for index, day in enumerate(days):
                if day < first:
                    self.fault(table, index, "on", f"this is before the case opens on {first}")
        end = journey.closing
        if end is not None and list(end.steps) != sorted(end.steps):
            reason = "obligations end, accounting, certification and refund come in this order"
            self.fault("closing", 0, "", reason)
        for index, request in enumerate(journey.requests):
            question = request.question
            if question is not None and not (
                request.on <= question.on <= question.reply_on <= request.reviewed_on
            ):
                reason = "asked, question, reply and review must come in this order"
                self.fault("requests", index, "question_on", reason)
            if request.pay_on is not None and request.pay_on <= request.approved_on:
                reason = "a payment arrives on the banking day after the approval or later"
                self.fault("requests", index, "pay_on", reason)
            if not request.on <= request.reviewed_on <= request.approved_on:
                reason = "asked, reviewed and approved must come in this order"
                self.fault("requests", index, "on", reason)
