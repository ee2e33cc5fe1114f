"""Reading journey.toml: every fault is found, with line and reason, before anything is played."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from seedtrust.core.permissions import Role
from seedtrust.core.pregnancy import EMBRYO_AGES_DAYS
from seedtrust.domain.cases.funding_rules import FundingPolicy, due_milestones
from seedtrust.domain.cases.states import STAGES_OF, CaseKind, Milestone
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.payments.states import CaseRail
from seedtrust.domain.terms.states import (
    Category,
    TaxClass,
    TermApprover,
    TermKind,
    TermSchedule,
)
from seedtrust.formats.nacha import RETURN_CODES
from seedtrust.journeys import coherence
from seedtrust.journeys.fields import Table
from seedtrust.journeys.lines import line_numbers
from seedtrust.journeys.script import (
    ACCOUNT_CLOSED,
    BOUNCED_DEPOSIT,
    RETURN,
    UNANSWERED,
    UNREVIEWED,
    AccountChangeSpec,
    BankAccount,
    BankEventSpec,
    ClosingSpec,
    DepositSpec,
    Journey,
    MilestoneSpec,
    PartySpec,
    PayeeSpec,
    QuestionSpec,
    RequestSpec,
    SpreadSpec,
    TermSpec,
)

FORMAT: Final = 1
ANSWERS: Final = ("approved", "denied", "refused", "withdrawn", UNREVIEWED, UNANSWERED)
# Which keys each event needs besides its day, and which it may have.
BANK_EVENTS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    ACCOUNT_CLOSED: (("payee",), ()),
    RETURN: (("payee", "code"), ("settled_on", "category")),
    BOUNCED_DEPOSIT: (("deposit_on",), ("code",)),
}
# Codes with which a payee's own bank sends a payment back.
RETURNABLE_WITH: Final = tuple(
    code for code, row in sorted(RETURN_CODES.items()) if not row.is_bank_to_bank
)
PARTY_ROLES: Final = (
    Role.INTENDED_PARENT,
    Role.IP_REPRESENTATIVE,
    Role.DONOR,
    Role.SURROGATE,
    Role.AGENCY_ADMINISTRATOR,
    Role.CASE_MANAGER,
    Role.ATTORNEY,
)


class JourneyRefused(Exception):
    """The file cannot be played; `faults` holds one sentence with its line for each reason."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        """Keep the file and every fault in it."""
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))
        self.path = path
        self.faults = faults


def read_journey(path: Path) -> Journey:
    """Read and check one journey.toml. Raises JourneyRefused with every fault that it has."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise JourneyRefused(path, [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise JourneyRefused(path, [f"is not UTF-8 text at byte {error.start}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise JourneyRefused(path, [f"is not valid TOML: {error}"]) from error
    return _Reader(path, text, data).journey()


def _code_of(table: Table, event: str) -> str:
    """Return the code with which something comes back, empty where the file names none."""
    if event == RETURN:
        return table.word("code", RETURNABLE_WITH)
    may_name_one = event == BOUNCED_DEPOSIT and table.has("code")
    return table.word("code", RETURNABLE_WITH) if may_name_one else ""


class _Reader:
    """Reads the whole file and raises once, with every fault."""

    def __init__(self, path: Path, text: str, data: Mapping[str, Any]) -> None:
        self._path = path
        self._data = data
        self._lines = line_numbers(text)
        self._faults: list[tuple[int, str]] = []

    def fault(self, table: str, index: int, key: str, reason: str) -> None:
        """Note a fault with its line."""
        line = self._lines.get((table, index, key)) or self._lines.get((table, index, ""), 1)
        self._faults.append((line, f"line {line}: {reason}"))

    def _one(self, name: str) -> Table:
        values = self._data.get(name)
        if not isinstance(values, dict):
            self.fault("", 0, name, f"the table [{name}] is missing")
            values = {}
        return Table(self, name, 0, values)

    def _many(self, name: str) -> list[Table]:
        values = self._data.get(name, [])
        if not isinstance(values, list) or any(not isinstance(item, dict) for item in values):
            self.fault(name, 0, "", f"write each of these as its own [[{name}]]")
            return []
        return [Table(self, name, index, item) for index, item in enumerate(values)]

    def journey(self) -> Journey:
        """Return the journey. Raises JourneyRefused."""
        top = Table(self, "", 0, self._data)
        if top.number("format") != FORMAT:
            top.fault("format", f"this program reads format {FORMAT}")
        name = top.text("name")
        case = self._one("case")
        parties = tuple(map(self._party, self._many("parties")))
        payees = tuple(map(self._payee, self._many("payees")))
        journey = self._assembled(name, case, parties, payees)
        if not self._faults:
            for place, reason in coherence.faults_of(journey):
                self.fault(*place, reason)
        if self._faults:
            raise JourneyRefused(self._path, [text for _, text in sorted(self._faults)])
        return journey

    def _assembled(
        self,
        name: str,
        case: Table,
        parties: tuple[PartySpec, ...],
        payees: tuple[PayeeSpec, ...],
    ) -> Journey:
        agency_account = case.account("agency_account", needed=True)
        kind = case.word("kind", tuple(CaseKind))
        stages = {stage.value.lower(): stage.value for stage in STAGES_OF[CaseKind(kind)]}
        milestones = {code.value: code.value for code in due_milestones(CaseKind(kind))}
        by_stage = case.is_table("minimum_balance")
        return Journey(
            name=name,
            kind=kind,
            number=self._number(case),
            case_name=case.text("name"),
            rail=case.word("rail", tuple(CaseRail)),
            anonymous=case.flag("anonymous", default=False),
            agency=case.text("agency"),
            agency_account=agency_account or BankAccount("", "", "checking", ""),
            minimum_cents=0 if by_stage else case.cents("minimum_balance", 0),
            funding=FundingPolicy(
                case.amounts("minimum_balance", stages, may_be_none=True) if by_stage else {},
                case.amounts("due_at", milestones),
                case.cents("top_up", None),
            ),
            funding_required_cents=case.cents("funding_required"),
            all_parents_approve=case.flag("all_parents_approve", default=False),
            opened_on=case.banking_day("opened_on"),
            escrow_agreement_on=case.banking_day("escrow_agreement_on", None),
            agreement_on=case.banking_day("agreement_on", None),
            parties=parties,
            payees=payees,
            terms=tuple(map(self._term, self._many("terms"))),
            milestones=tuple(map(self._milestone, self._many("milestones"))),
            deposits=tuple(map(self._deposit, self._many("deposits"))),
            requests=tuple(map(self._request, self._many("requests"))),
            account_changes=tuple(map(self._account_change, self._many("account_changes"))),
            bank_events=tuple(map(self._bank_event, self._many("bank_events"))),
            closing=self._closing(),
            terminated_on=case.banking_day("terminated_on", None),
            cancelled_on=case.banking_day("cancelled_on", None),
            until=case.banking_day("until", None),
        )

    @staticmethod
    def _number(case: Table) -> int:
        number = case.number("number")
        if case.has("number") and len(str(number)) != 6:  # noqa: PLR2004 - as the product wants it
            case.fault("number", "the case number must have six digits, such as 100398")
        return number

    def _party(self, table: Table) -> PartySpec:
        role = table.word("role", tuple(role.value for role in PARTY_ROLES))
        principal = role in {Role.INTENDED_PARENT, Role.DONOR, Role.SURROGATE}
        return PartySpec(
            table.text("key"),
            role,
            table.text("name"),
            table.text("email"),
            table.text("alias", ""),
            table.text("state", ""),
            table.account("account", needed=False),
            table.flag("signs", default=principal),
            table.flag("certifies", default=principal),
        )

    def _payee(self, table: Table) -> PayeeSpec:
        account = table.account("account", needed=True)
        name = table.text("name")
        return PayeeSpec(
            table.text("key"),
            name,
            table.text("label", name),
            account or BankAccount("", "", "checking", ""),
        )

    def _term(self, table: Table) -> TermSpec:
        kind = table.word("kind", tuple(TermKind))
        scheduled = kind in {TermKind.SCHEDULED, TermKind.FEE}
        if scheduled and not table.has("trigger"):
            table.fault("trigger", f"a {kind} term needs the milestone that triggers it")
        if scheduled and not table.has("amount"):
            table.fault("amount", f"a {kind} term needs its amount")
        approver = TermApprover.PRE_AUTHORISED if scheduled else TermApprover.ESCROW
        return TermSpec(
            table.text("clause"),
            table.text("title"),
            table.word("category", tuple(Category)),
            table.word("tax_class", tuple(TaxClass)),
            kind,
            table.word("approver", tuple(TermApprover), approver.value),
            table.text("payee", None),
            table.cents("amount", None),
            table.cents("cap", None),
            table.word("trigger", tuple(Milestone), None),
            table.number("pay_after", 0),
            self._spread(table),
            table.caps("caps"),
            table.texts("evidence"),
        )

    @staticmethod
    def _spread(table: Table) -> SpreadSpec:
        schedule = table.word("schedule", tuple(TermSchedule), TermSchedule.ONCE.value)
        series = schedule in {TermSchedule.INSTALMENTS, TermSchedule.MONTHLY}
        allowed = {"times", "last_trigger", "last_pay_after"} if series else set()
        if schedule == TermSchedule.PREGNANCY_WEEK:
            allowed = {"week"}
        for key in ("times", "week", "last_trigger", "last_pay_after"):
            if key not in allowed and table.has(key):
                table.fault(key, f"a term whose schedule is {schedule} has no “{key}”")
        times = table.number("times") if series else 1
        if series and times < 1:
            table.fault("times", "“times” must be at least 1")
        return SpreadSpec(
            schedule,
            times,
            table.number("week") if schedule == TermSchedule.PREGNANCY_WEEK else None,
            table.word("last_trigger", tuple(Milestone), None),
            table.number("last_pay_after", 0),
        )

    def _milestone(self, table: Table) -> MilestoneSpec:
        on = table.banking_day("on")
        embryo_days = table.number("embryo_days", None)
        if table.has("embryo_days") and embryo_days not in EMBRYO_AGES_DAYS:
            table.fault("embryo_days", "an embryo is transferred on day 3 or day 5")
        return MilestoneSpec(
            table.word("code", tuple(Milestone)),
            on,
            table.day("occurred_on", on),
            table.text("proof", "Letter"),
            embryo_days,
        )

    def _deposit(self, table: Table) -> DepositSpec:
        on = table.banking_day("on")
        rail = table.word("by", tuple(ReceiptRail), ReceiptRail.WIRE.value)
        named = table.flag("names_the_case", default=True)
        matched = table.flag("matched", default=True)
        matched_on = table.banking_day("matched_on", on)
        for key in ("matched_on", "matched"):
            if named and table.has(key):
                table.fault(key, f"a {rail} that names the case is matched as it comes in")
        if not matched and table.has("matched_on"):
            table.fault("matched_on", f"this {rail} is not matched; leave out its day")
        elif not named and matched_on < on:
            table.fault("matched_on", f"this is before the {rail} comes in on {on}")
        sender = table.text("from")
        match_day = matched_on if matched else None
        return DepositSpec(on, table.cents("amount"), sender, named, match_day, rail)

    def _request(self, table: Table) -> RequestSpec:
        on = table.banking_day("on")
        reviewed_on = table.banking_day("reviewed_on", on)
        cents = table.cents("amount")
        answer = table.word("answer", ANSWERS, "approved")
        if answer in {"denied", "refused"} and not table.has("reason"):
            table.fault("reason", f"a request that is {answer} needs the reason")
        lines = table.lines("lines")
        if lines and sum(line.amount_cents for line in lines) != cents:
            table.fault("lines", "the lines do not add up to the amount")
        return RequestSpec(
            on,
            table.text("by"),
            table.text("payee"),
            table.word("category", tuple(Category)),
            cents,
            table.text("description"),
            table.texts("evidence"),
            lines,
            reviewed_on,
            table.banking_day("approved_on", reviewed_on),
            table.cents("approved", cents),
            answer,
            table.text("reason", ""),
            table.banking_day("pay_on", None),
            self._question(table),
        )

    @staticmethod
    def _question(table: Table) -> QuestionSpec | None:
        keys = ("question_on", "question", "reply_on", "reply")
        if not any(table.has(key) for key in (*keys, "reply_evidence")):
            return None
        return QuestionSpec(
            table.banking_day("question_on"),
            table.text("question"),
            table.banking_day("reply_on"),
            table.text("reply"),
            table.texts("reply_evidence"),
        )

    def _account_change(self, table: Table) -> AccountChangeSpec:
        account = table.account("account", needed=True)
        on = table.banking_day("on")
        submitted_on = table.banking_day("submitted_on", on)
        if submitted_on > on:
            table.fault("submitted_on", f"this is after the account is approved on {on}")
        return AccountChangeSpec(
            on,
            table.text("payee"),
            account or BankAccount("", "", "checking", ""),
            submitted_on,
            table.flag("approved", default=True),
        )

    def _bank_event(self, table: Table) -> BankEventSpec:
        event = table.word("event", tuple(BANK_EVENTS))
        needed, allowed = BANK_EVENTS[event]
        for key in ("payee", "code", "settled_on", "category", "deposit_on"):
            if table.has(key) and key not in needed + allowed:
                table.fault(
                    key, f"“{key}” says nothing about {event}; it needs {', '.join(needed)}"
                )
        is_return = event == RETURN
        if is_return and not (table.has("settled_on") or table.has("category")):
            reason = "say which payment comes back: give settled_on, category, or both"
            table.fault("event", reason)
        return BankEventSpec(
            table.banking_day("on"),
            event,
            table.text("payee") if "payee" in needed else None,
            _code_of(table, event),
            table.banking_day("settled_on", None) if is_return else None,
            table.word("category", tuple(Category), None) if is_return else None,
            table.banking_day("deposit_on") if event == BOUNCED_DEPOSIT else None,
        )

    def _closing(self) -> ClosingSpec | None:
        if "closing" not in self._data:
            return None
        table = self._one("closing")
        certified_on = table.banking_day("certified_on", None)
        certified = table.has("certified_on")
        reviewed = table.flag("reviewed", default=certified)
        if not certified and (reviewed or table.has("refund_on")):
            table.fault("certified_on", "nothing is reviewed or refunded before all certify")
        if not reviewed and table.has("refund_on"):
            table.fault("refund_on", "nothing is refunded before the second reviewer approves")
        return ClosingSpec(
            table.banking_day("obligations_ended_on"),
            table.banking_day("accounting_on"),
            certified_on,
            table.text("refund_to"),
            table.banking_day("refund_on", certified_on) if reviewed else None,
        )
