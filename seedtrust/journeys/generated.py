"""Journeys drawn from a seed, each with the ledger that plain arithmetic says it must have.

Nothing here knows a verb, a table or a rule of the product: days are counted on the bank's
calendar, cents are added up, and docs/journeys.md says which day a payment settles on.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from seedtrust.core.bankdays import (
    add_banking_days,
    on_or_after,
    previous_banking_day,
)
from seedtrust.core.money import plain_dollars
from seedtrust.journeys.draft import (
    BOUNCE,
    FEE,
    LAST_ACT_DAY,
    LAST_DAY,
    PAYMENT,
    REFUND,
    RETURN,
    Draft,
    Entry,
    Raw,
    firsts,
    later,
    leaves_on,
)
from seedtrust.journeys.plans import PLANS, Plan

MOST_JOURNEYS: Final = 99
SEEDS: Final = 6_000
_SETTLEMENT_DAYS: Final = 2
_COOLING_DAYS: Final = 3
_AGREEMENT_AT: Final = 20
_TERMINATION_AT: Final = 32
# A check that comes in on the sixth day counts in the morning of the fifth banking day after it.
_COLLECTED_AT: Final = 11

_FIRST_NAMES: Final = (
    "Ada",
    "Bea",
    "Carl",
    "Dora",
    "Emil",
    "Fern",
    "Gus",
    "Hanna",
    "Ivo",
    "June",
    "Karl",
    "Lena",
    "Milo",
    "Nora",
    "Otto",
    "Pia",
)
_LAST_NAMES: Final = (
    "Abel",
    "Bristow",
    "Castell",
    "Dunmore",
    "Eastman",
    "Farrow",
    "Gilmore",
    "Hadley",
    "Ingram",
    "Jessop",
    "Kendrick",
    "Lowell",
    "Marlow",
    "Norwood",
)
# Numbers of the right shape and check digit, as the other sample journeys use them.
_ROUTING: Final = ("211370600", "323171904", "123104207", "021173903", "123206503", "031302803")
_AGENCIES: Final = (("Cedar Bridge", "4400911001"), ("Tidewater Match", "4400911002"))


@dataclass(frozen=True)
class Generated:
    """One journey as its two files."""

    name: str
    journey: str
    ledger: str


def generate(seed: int, count: int) -> list[Generated]:
    """Return so many journeys of a seed; the same seed gives the same files. Raises ValueError.

    Numbers of two different seeds below SEEDS never meet.
    """
    if not 0 <= seed < SEEDS or not 1 <= count <= MOST_JOURNEYS:
        message = f"choose a seed from 0 to {SEEDS - 1} and 1 to {MOST_JOURNEYS} journeys"
        raise ValueError(message)
    draw = random.Random(f"journeys:{seed}")  # noqa: S311 - sample data, not secrets
    return [
        _Story(seed, index, PLANS[index % len(PLANS)], draw).written() for index in range(count)
    ]


def write(folder: Path, journeys: Sequence[Generated]) -> None:
    """Write each journey into a folder of its own."""
    for journey in journeys:
        place = folder / journey.name
        place.mkdir(parents=True, exist_ok=True)
        (place / "journey.toml").write_text(journey.journey, encoding="utf-8")
        (place / "ledger.csv").write_text(journey.ledger, encoding="utf-8")


class _Story:
    """Tells one journey: people act in the file, and the ledger follows by arithmetic."""

    def __init__(self, seed: int, index: int, plan: Plan, draw: random.Random) -> None:
        self.plan, self.rng, self.index, self.seed = plan, draw, index, seed
        stage = plan.stage.lower().replace("_", "-")
        self.name = f"seed{seed}-{index + 1:02d}-{stage}"
        self.number = 300_000 + seed * 100 + index
        self.age = draw.randint(*plan.ages)
        self.draft = Draft(add_banking_days(LAST_ACT_DAY, -self.age))
        # Kinds take turns in the table of plans, so rails do in pairs: each kind is on both.
        self.rail = ("nacha", "huntington")[(index // 2 + seed) % 2]
        self.family, self.other = draw.sample(_LAST_NAMES, 2)
        self.surrogacy = plan.is_surrogacy
        self.carrier = "surrogate" if self.surrogacy else "donor"
        self.agency = draw.choice(_AGENCIES)
        self.stops = plan.stops
        self.stop = self.stops.get(plan.stage, 99)
        if plan.trouble == "terminated":
            self.stop = _TERMINATION_AT
        self.funding = 100 * draw.randrange(45_000, 60_000)
        # What is due on the first of a month leaves on the banking day before, in the morning.
        self.signs_at = self._not_before_a_first(_AGREEMENT_AT)
        self.ends_at = self._not_before_a_first(_TERMINATION_AT)
        self.days: dict[str, date] = {}
        self.closing: list[str] = []

    def written(self) -> Generated:
        """Return the journey's two files."""
        self._people()
        if self.surrogacy:
            self._surrogacy()
        else:
            self._donation()
        return Generated(self.name, self._journey(), self.draft.ledger())

    def _not_before_a_first(self, offset: int) -> int:
        day = self.draft.day
        while day(offset).month != day(offset + 1).month:
            offset += 1
        return offset

    def _cents(self, least: int, most: int) -> int:
        return self.rng.randrange(least, most)

    def _account(self) -> Raw:
        # The simulated bank does something special for numbers that end in 90 to 99 and two more.
        number = 10_000 * self.rng.randrange(10**5, 10**6) + self.rng.randrange(1_000, 9_000)
        return Raw(
            f'{{ routing = "{self.rng.choice(_ROUTING)}", number = "{number}", '
            'type = "checking", bank = "Sample Bank" }'
        )

    def _people(self) -> None:
        first, second, third = self.rng.sample(_FIRST_NAMES, 3)
        for key, role, name in (
            ("parent", "intended_parent", f"{first} {self.family}"),
            (self.carrier, self.carrier, f"{second} {self.other}"),
            ("coordinator", "agency_administrator", f"{third} {self.rng.choice(_LAST_NAMES)}"),
        ):
            account = {} if key == "coordinator" else {"account": self._account()}
            email = f"{key}.{self.number}@sample.example"
            self.draft.block("parties", key=key, role=role, name=name, email=email, **account)
        for key, label in (("clinic", "Psychology practice"), ("law_office", "Law office")):
            name = f"{label} {self.number}"
            self.draft.block("payees", key=key, name=name, label=label, account=self._account())

    def _beginning(self) -> bool:
        """Sign, fund and sign again; False where the journey stops before its agreement."""
        draft, fee = self.draft, 100 * self.rng.randrange(700, 1_500)
        self._usual_terms(fee)
        draft.milestone("match_confirmed", draft.opened_on)
        if self.stop < self.stops["PENDING_FUNDING"]:
            return False
        self.days["escrow_agreement_on"] = draft.day(3)
        if self.plan.trouble == "bounced":
            self._bounced_check()
        if self.plan.stage == "CANCELLED":
            self.days["cancelled_on"] = draft.day(5)
        if self.stop < self.stops["AWAITING_EXECUTED_AGREEMENT"]:
            return False
        late = self.plan.trouble == "bounced_late"
        paid_on, counts_on = draft.day(6), draft.day(_COLLECTED_AT if late else 6)
        draft.deposit(paid_on, self.funding, **({"by": "check"} if late else {}))
        draft.line(on_or_after(later(counts_on, 1)), FEE, "FEE", "escrow_fee", -fee)
        first = 14 if late else 9
        draft.request(first, "coordinator", "agency", "agency_fee", self._cents(600_000, 900_000))
        draft.request(first + 2, "coordinator", "clinic", "psych", self._cents(40_000, 70_000))
        if late:
            self._bounced_when_spent(paid_on)
        elif self.plan.trouble == "unmatched":
            # Nobody knows yet whose money this is, so no case has it.
            cents = self._cents(100_000, 300_000)
            draft.unmatched_wire(LAST_ACT_DAY, cents)
        if self.stop < _AGREEMENT_AT:
            return False
        self.days["agreement_on"] = draft.day(self.signs_at)
        return True

    def _usual_terms(self, fee: int) -> None:
        term, parents = self.draft.term, {"approver": "intended_parents"}
        dated = {"amount": plain_dollars(fee), "trigger": "initial_funding_received"}
        term("E-7", "Escrow fee", "escrow_fee", "F", "fee", **dated, pay_after=1)
        term("A-3", "Agency fee", "agency_fee", "V", "requested", **parents)
        term("C-2", "Psychological evaluation", "psych", "V", "requested", **parents)
        term("C-3", "Attorney", "legal", "V", "requested", **parents)
        term("C-4", "Travel", "travel", "R", "requested")
        term("C-5", "Co-payments", "medical_copay", "R", "requested")

    def _bounced_check(self) -> None:
        # Uncollected money bounces without touching anything else.
        draft, cents = self.draft, self._cents(100_000, 300_000)
        on, bounced_on = draft.day(4), draft.day(6 + self.rng.randrange(2))
        draft.deposit(on, cents, by="check")
        draft.block("bank_events", on=bounced_on, event="bounced_deposit", deposit_on=on)
        draft.line(bounced_on, BOUNCE, "RETURN", "funding", -cents)

    def _bounced_when_spent(self, paid_on: date) -> None:
        # The case gives back what it still has; the company owes the rest, and the case stops.
        draft, on = self.draft, self.draft.day(20)
        draft.block("bank_events", on=on, event="bounced_deposit", deposit_on=paid_on)
        draft.line(on, BOUNCE, "RETURN", "funding", -draft.owned(on))

    def _donation(self) -> None:
        draft, total = self.draft, 100 * self.rng.randrange(8_000, 12_001)
        first = total // 5
        begun = self._beginning()
        pays = {"payee": "donor", "approver": "pre_authorised"}
        for clause, cents, trigger, after in (
            ("D-5.1", first, "medication_started", 7),
            ("D-5.2", total - first, "retrieval_done", 7),
        ):
            dated = {"amount": plain_dollars(cents), "trigger": trigger, "pay_after": after}
            title = f"Compensation, part {clause[-1]}"
            draft.term(clause, title, "donor_compensation", "C", "scheduled", **dated, **pays)
        if not begun:
            return
        draft.request(23, "coordinator", "law_office", "legal", self._cents(50_000, 99_000))
        started_on = draft.day(26)
        draft.milestone("medication_started", started_on)
        draft.scheduled(later(started_on, 7), "donor_compensation", first, 0)
        self._cycle()
        if self.plan.trouble == "terminated":
            self._end(36)
        elif self.stop >= self.stops["POST_RETRIEVAL"]:
            retrieved_on = draft.day(36)
            draft.milestone("retrieval_done", retrieved_on)
            draft.scheduled(later(retrieved_on, 7), "donor_compensation", total - first, 1)
            self._after_retrieval()
            if self.stop >= self.stops["AWAITING_CLOSE_APPROVAL"]:
                self._end(60)

    def _cycle(self) -> None:
        draft, cents = self.draft, self._cents(5_000, 20_000)
        if self.plan.trouble == "denied":
            why = "No clause of the agreement covers this."
            draft.ask(29, "donor", "donor", "other", cents, answer="refused", reason=why)
        elif self.plan.trouble == "unreviewed":
            draft.ask(29, "donor", "donor", "travel", cents, answer="withdrawn")
            draft.ask(self.age, "donor", "donor", "travel", cents + 100, answer="unreviewed")
        draft.request(31, "donor", "donor", "medical_copay", self._cents(2_000, 9_000))

    def _after_retrieval(self) -> None:
        draft, cents = self.draft, self._cents(10_000, 60_000)
        settled_on, place = draft.request(45, "donor", "donor", "travel", cents)
        if self.plan.trouble == "return":
            back_on = add_banking_days(settled_on, _SETTLEMENT_DAYS)
            event = {"event": "return", "payee": "donor", "code": "R01", "settled_on": settled_on}
            draft.block("bank_events", on=back_on, **event)
            draft.line(back_on, RETURN, "RETURN", "travel", cents)
            again_on = add_banking_days(back_on, 1)
            draft.line(again_on, PAYMENT, "REISSUE", "travel", -cents, place)
        elif self.plan.trouble == "shortfall":
            # Approved, but more than the case owns: it waits for funds that do not come.
            self._too_much(50)

    def _too_much(self, offset: int) -> int:
        """Ask for more than the case owns and have it approved; return the amount in cents."""
        draft = self.draft
        nearby = range(offset - 5, offset + 15)
        most = max(draft.owned(draft.day(number)) for number in nearby)
        cents = most + self._cents(100_000, 200_000)
        draft.ask(offset, self.carrier, self.carrier, "travel", cents)
        return cents

    def _surrogacy(self) -> None:
        draft, plan, rng = self.draft, self.plan, self.rng
        base, months = 100 * rng.randrange(40_000, 60_001), rng.randrange(8, 11)
        allowance, clothing = 100 * rng.randrange(200, 301), 100 * rng.randrange(500, 1_251)
        begun = self._beginning()
        self._surrogacy_terms(allowance, base, months, clothing)
        if not begun:
            return
        signed_on, terminated_on = draft.day(self.signs_at), draft.day(self.ends_at)
        for first in firsts(signed_on, 11):
            if plan.trouble != "terminated" or first <= terminated_on:
                draft.scheduled(first, "monthly_allowance", allowance, 0)
        draft.request(23, "coordinator", "law_office", "legal", self._cents(90_000, 180_000))
        draft.milestone("medication_started", draft.day(28))
        if plan.trouble == "terminated":
            self._end(36)
            return
        transferred_on, embryo_days = draft.day(36), rng.choice([3, 5])
        transfer = {"code": "embryo_transferred", "on": transferred_on}
        draft.block("milestones", **transfer, embryo_days=embryo_days)
        fee = self._cents(60_000, 150_000)
        draft.request(39, "coordinator", "surrogate", "embryo_transfer", fee)
        if plan.stage in {"PREGNANT", "POST_DELIVERY"} or plan.trouble == "lost":
            weeks_14_on = later(transferred_on, 14 * 7 - 14 - embryo_days)
            self._pregnancy(transferred_on, weeks_14_on, base, months, clothing)

    def _surrogacy_terms(self, allowance: int, base: int, months: int, clothing: int) -> None:
        term, pays = self.draft.term, {"payee": "surrogate", "approver": "pre_authorised"}
        for clause, category, cents, more in (
            (
                "G-4.1",
                "monthly_allowance",
                allowance,
                {"trigger": "agreement_executed", "schedule": "monthly", "times": 11},
            ),
            (
                "G-4.2",
                "base_compensation",
                base,
                {
                    "trigger": "heartbeat_confirmed",
                    "schedule": "instalments",
                    "times": months,
                    "last_trigger": "delivered",
                    "last_pay_after": 14,
                },
            ),
            (
                "G-4.3",
                "maternity_clothing",
                clothing,
                {"trigger": "embryo_transferred", "schedule": "pregnancy_week", "week": 14},
            ),
        ):
            title, amount = category.replace("_", " ").capitalize(), plain_dollars(cents)
            term(clause, title, category, "C", "scheduled", amount=amount, **pays, **more)
        term("G-4.4", "Embryo transfer", "embryo_transfer", "C", "requested")
        caps = Raw('[{ amount = "100.00", per = "day" }]')
        term("G-5.3", "Childcare, 100.00 a day", "childcare", "R", "requested", caps=caps)

    def _pregnancy(
        self, transferred_on: date, weeks_14_on: date, base: int, months: int, clothing: int
    ) -> None:
        draft = self.draft
        heartbeat_on = on_or_after(later(transferred_on, 28))
        if add_banking_days(heartbeat_on, 1).month != heartbeat_on.month:
            heartbeat_on = add_banking_days(heartbeat_on, 1)
        draft.milestone("heartbeat_confirmed", heartbeat_on)
        draft.deposit(add_banking_days(heartbeat_on, 3), base + 1_500_000)
        # What has not left at a loss stays; a balance takes later instalments with it.
        ends_on, balance_on = LAST_DAY, LAST_DAY
        if self.plan.trouble == "lost":
            ends_on = on_or_after(later(heartbeat_on, 50))
            draft.milestone("pregnancy_lost", ends_on)
        born_on = on_or_after(later(transferred_on, 250))
        if self.plan.stage == "POST_DELIVERY":
            draft.milestone("delivered", born_on)
            balance_on = later(born_on, 14)
        share = (2 * base + months) // (2 * months)
        for first in firsts(heartbeat_on, months - 1):
            if leaves_on(first) <= ends_on:
                draft.scheduled(min(first, balance_on), "base_compensation", share, 1)
        if self.plan.stage == "POST_DELIVERY":
            rest = base - share * (months - 1)
            draft.scheduled(balance_on, "base_compensation", rest, 1)
        if leaves_on(weeks_14_on) <= ends_on:
            draft.scheduled(weeks_14_on, "maternity_clothing", clothing, 2)
        self._trouble_of_a_pregnancy()

    def _trouble_of_a_pregnancy(self) -> None:
        draft, trouble = self.draft, self.plan.trouble
        if trouble == "account_closed":
            self._account_closed()
        elif trouble == "over_cap":
            self._over_cap()
        elif trouble == "unanswered":
            cents = self._cents(30_000, 60_000)
            draft.ask(self.age, "coordinator", "clinic", "psych", cents, answer="unanswered")
        elif trouble == "account_missing":
            self._account_missing()
        elif trouble == "shortfall_covered":
            cents = self._too_much(80)
            covered_on = draft.free_day(84, then=1)
            draft.deposit(covered_on, cents)
            paid_on = add_banking_days(covered_on, 1)
            draft.line(paid_on, PAYMENT, "DISBURSEMENT", "travel", -cents)
        else:
            cents = self._cents(4_000, 20_000)
            draft.request(75, "surrogate", "surrogate", "medical_copay", cents)

    def _over_cap(self) -> None:
        days = [later(self.draft.day(75), number) for number in range(5)]
        asked = [100 * self.rng.randrange(70, 140) for _ in days[1:]] + [13_900]
        allowed = sum(min(cents, 10_000) for cents in asked)
        lines = ", ".join(
            f'{{ what = "Sitter", amount = "{plain_dollars(cents)}", on = {day} }}'
            for day, cents in zip(days, asked, strict=True)
        )
        more = {"lines": Raw(f"[{lines}]"), "reason": "The agreement allows 100.00 a day."}
        self.draft.request(
            82, "surrogate", "surrogate", "childcare", sum(asked), approved=allowed, **more
        )
        # Approved, and held back until its day, which comes after the last one told here.
        day, cents = add_banking_days(LAST_DAY, 10), self._cents(4_000, 20_000)
        self.draft.ask(self.age, "surrogate", "surrogate", "medical_copay", cents, pay_on=day)

    def _account_closed(self) -> None:
        """Close the surrogate's account before a first of a month: all that settles comes back."""
        draft, offset = self.draft, 95
        while draft.day(offset).month == draft.day(offset + 1).month:
            offset += 1
        returned = self._all_comes_back(draft.day(offset))
        changed_on = add_banking_days(returned[0].on, 1)
        again_on = add_banking_days(changed_on, _COOLING_DAYS + 1)
        account = self._account()
        draft.block("account_changes", on=changed_on, payee="surrogate", account=account)
        for line in returned:
            draft.line(again_on, PAYMENT, "REISSUE", line.category, -line.cents, line.order)

    def _account_missing(self) -> None:
        """Close the surrogate's account a month before the end; the new one is not checked yet."""
        closed_on = previous_banking_day(LAST_ACT_DAY.replace(day=1))
        back_on = self._all_comes_back(closed_on)[0].on
        # What falls due from then on waits for an account as well.
        self.draft.forget_payments_after(back_on)
        change = {"payee": "surrogate", "account": self._account(), "approved": Raw("false")}
        self.draft.block("account_changes", on=LAST_ACT_DAY, **change)

    def _all_comes_back(self, closed_on: date) -> list[Entry]:
        """Let what settles on the next banking day come back; return the lines of the returns.

        Each keeps the place of its payment, for the day on which it is paid again.
        """
        draft, first_on = self.draft, add_banking_days(closed_on, 1)
        back_on = add_banking_days(first_on, _SETTLEMENT_DAYS)
        draft.block("bank_events", on=closed_on, event="account_closed", payee="surrogate")
        settled = sorted(
            (line for line in draft.money if line.on == first_on), key=lambda line: line.order
        )
        returned = []
        for line in settled:
            draft.line(back_on, RETURN, "RETURN", line.category, -line.cents)
            returned.append(replace(line, on=back_on, cents=-line.cents))
        return returned

    def _end(self, offset: int) -> None:
        draft, stage = self.draft, self.plan.stage
        if stage == "FINAL_DISBURSEMENT":
            # Whatever its age, the refund is approved on the day on which people last act.
            offset = max(offset, self.age - 5)
        if self.plan.trouble == "terminated":
            self.days["terminated_on"] = draft.day(self.ends_at)
        steps = [("obligations_ended_on", offset), ("accounting_on", offset + 1)]
        if stage in {"FINAL_ACCOUNTING", "FINAL_DISBURSEMENT", "CLOSED"}:
            steps.append(("certified_on", offset + 3))
        if stage in {"FINAL_DISBURSEMENT", "CLOSED"}:
            steps.append(("refund_on", offset + 5))
        if stage == "FINAL_DISBURSEMENT":
            self._refund_waits(draft.day(offset + 4))
        elif stage == "CLOSED":
            rest, on = draft.owned(LAST_DAY), draft.day(offset + 5)
            draft.line(on, REFUND, "REFUND", "closing_refund", -rest)
        self.closing = [f"{key} = {draft.day(number)}" for key, number in steps]
        self.closing.append('refund_to = "parent"')
        if stage == "FINAL_ACCOUNTING":
            self.closing.append("reviewed = false")

    def _refund_waits(self, submitted_on: date) -> None:
        """Let the parent give a new account that nobody checks: nothing is paid to them so long."""
        # Drawn apart, so that the journeys that are drawn after this one stay what they are.
        self.rng = random.Random(f"refund:{self.number}")  # noqa: S311 - sample data, not secrets
        change = {"payee": "parent", "account": self._account(), "approved": Raw("false")}
        self.draft.block("account_changes", on=submitted_on, **change)

    def _journey(self) -> str:
        agency, number = self.agency
        account = f'{{ routing = "011234506", number = "{number}", type = "checking" }}'
        rows = [
            f"# Drawn from seed {self.seed}. Names, firms and numbers are invented.",
            "format = 1",
            f'name = "{self.name}"',
            "",
            "[case]",
            f'kind = "{self.plan.kind}"',
            f"number = {self.number}",
            f'name = "{self.family}_{self.other}"',
            f'rail = "{self.rail}"',
            f"anonymous = {'false' if self.surrogacy else 'true'}",
            f'agency = "{agency}"',
            f"agency_account = {account}",
            f'funding_required = "{plain_dollars(self.funding)}"',
            'minimum_balance = "5000.00"',
            'top_up = "10000.00"',
            f"opened_on = {self.draft.opened_on}",
            *(f"{key} = {on}" for key, on in self.days.items()),
            f"until = {LAST_DAY}",
            "",
            *self.draft.blocks,
        ]
        closing = ["[closing]", *self.closing, ""] if self.closing else []
        return "\n".join([*rows, *closing])
