"""Categories of money, tax classes, and the lives of terms and schedule items."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from seedtrust.domain.cases.states import Milestone


class TaxClass(StrEnum):
    """Compensation, accountable reimbursement, vendor, fee."""

    COMPENSATION = "C"
    REIMBURSEMENT = "R"
    VENDOR = "V"
    FEE = "F"
    NONE = "-"


class Category(StrEnum):
    """What money is for."""

    FUNDING = "funding"
    CLOSING_REFUND = "closing_refund"
    ESCROW_FEE = "escrow_fee"
    BANK_FEE = "bank_fee"
    AGENCY_FEE = "agency_fee"
    LEGAL = "legal"
    BASE_COMPENSATION = "base_compensation"
    DONOR_COMPENSATION = "donor_compensation"
    MONTHLY_ALLOWANCE = "monthly_allowance"
    SIGNING_BONUS = "signing_bonus"
    SCREENING_BONUS = "screening_bonus"
    MEDICATION_START = "medication_start"
    MOCK_CYCLE = "mock_cycle"
    EMBRYO_TRANSFER = "embryo_transfer"
    CANCELLED_CYCLE = "cancelled_cycle"
    MULTIPLES = "multiples"
    MATERNITY_CLOTHING = "maternity_clothing"
    INVASIVE_PROCEDURE = "invasive_procedure"
    TERMINATION = "termination"
    C_SECTION = "c_section"
    ORGAN_LOSS = "organ_loss"
    LOST_WAGES = "lost_wages"
    LOST_WAGES_COMPANION = "lost_wages_companion"
    CHILDCARE = "childcare"
    HOUSEKEEPING = "housekeeping"
    TRAVEL = "travel"
    TRAVEL_ADVANCE = "travel_advance"
    PER_DIEM = "per_diem"
    MILEAGE = "mileage"
    BREAST_MILK = "breast_milk"
    BREAST_MILK_SUPPLIES = "breast_milk_supplies"
    MEDICATION = "medication"
    MEDICAL_COPAY = "medical_copay"
    MEDICAL_BILL = "medical_bill"
    HEALTH_INSURANCE = "health_insurance"
    LIFE_INSURANCE = "life_insurance"
    DONOR_INSURANCE = "donor_insurance"
    PSYCH = "psych"
    PSYCH_SUPPORT = "psych_support"
    GENETICS = "genetics"
    STORAGE_SHIPPING = "storage_shipping"
    OTHER = "other"


class TermKind(StrEnum):
    """Whether the calendar pays it, somebody asks for it, or the company charges it."""

    SCHEDULED = "scheduled"
    REQUESTED = "requested"
    FEE = "fee"


class TermSchedule(StrEnum):
    """How a dated term spreads over the calendar."""

    ONCE = "once"
    INSTALMENTS = "instalments"
    MONTHLY = "monthly"
    PREGNANCY_WEEK = "pregnancy_week"


class CapPeriod(StrEnum):
    """Over what a cap counts: one line of a request, a day or a week of what it names, all."""

    ITEM = "item"
    DAY = "day"
    WEEK = "week"
    JOURNEY = "journey"


class CorrectionState(StrEnum):
    """The life of a proposed correction of a milestone."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"


class TermApprover(StrEnum):
    """Who says yes after the escrow's own review."""

    PRE_AUTHORISED = "pre_authorised"
    ESCROW = "escrow"
    INTENDED_PARENTS = "intended_parents"


class TermState(StrEnum):
    """Proposed by one person, activated by another."""

    PROPOSED = "PROPOSED"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"


class ItemState(StrEnum):
    """The life of a schedule item; what it paid is told by its request."""

    WAITING = "WAITING"
    PLANNED = "PLANNED"
    MATERIALISED = "MATERIALISED"
    CANCELLED = "CANCELLED"


# A category is open once any of its milestones has been recorded; none listed: always open.
# Escrow agreement executed and funded: fee, agency, screening, psychology, travel; then the rest.
UNLOCKED_BY: Final = {
    Category.ESCROW_FEE: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.AGENCY_FEE: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.PSYCH: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.GENETICS: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.SCREENING_BONUS: (Milestone.MEDICAL_CLEARANCE, Milestone.PSYCH_CLEARANCE),
    Category.TRAVEL: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.MILEAGE: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.PER_DIEM: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.TRAVEL_ADVANCE: (Milestone.INITIAL_FUNDING_RECEIVED,),
    Category.LEGAL: (Milestone.AGREEMENT_EXECUTED,),
    Category.MONTHLY_ALLOWANCE: (Milestone.AGREEMENT_EXECUTED,),
    Category.SIGNING_BONUS: (Milestone.AGREEMENT_EXECUTED,),
    Category.DONOR_INSURANCE: (Milestone.AGREEMENT_EXECUTED,),
    Category.LIFE_INSURANCE: (Milestone.AGREEMENT_EXECUTED,),
    Category.HEALTH_INSURANCE: (Milestone.AGREEMENT_EXECUTED,),
    Category.PSYCH_SUPPORT: (Milestone.AGREEMENT_EXECUTED,),
    Category.LOST_WAGES: (Milestone.AGREEMENT_EXECUTED,),
    Category.LOST_WAGES_COMPANION: (Milestone.AGREEMENT_EXECUTED,),
    Category.CHILDCARE: (Milestone.AGREEMENT_EXECUTED,),
    Category.HOUSEKEEPING: (Milestone.AGREEMENT_EXECUTED,),
    Category.MEDICAL_COPAY: (Milestone.AGREEMENT_EXECUTED,),
    Category.MEDICAL_BILL: (Milestone.AGREEMENT_EXECUTED,),
    Category.MEDICATION: (Milestone.AGREEMENT_EXECUTED,),
    Category.MOCK_CYCLE: (Milestone.AGREEMENT_EXECUTED,),
    Category.OTHER: (Milestone.AGREEMENT_EXECUTED,),
    Category.STORAGE_SHIPPING: (Milestone.AGREEMENT_EXECUTED,),
    Category.DONOR_COMPENSATION: (Milestone.MEDICATION_STARTED,),
    Category.MEDICATION_START: (Milestone.MEDICATION_STARTED,),
    Category.CANCELLED_CYCLE: (Milestone.CYCLE_CANCELLED,),
    Category.EMBRYO_TRANSFER: (Milestone.EMBRYO_TRANSFERRED,),
    Category.BASE_COMPENSATION: (Milestone.HEARTBEAT_CONFIRMED,),
    Category.MULTIPLES: (Milestone.MULTIPLES_CONFIRMED,),
    Category.MATERNITY_CLOTHING: (Milestone.HEARTBEAT_CONFIRMED,),
    Category.INVASIVE_PROCEDURE: (Milestone.PROCEDURE_PERFORMED,),
    Category.TERMINATION: (Milestone.PREGNANCY_LOST,),
    Category.C_SECTION: (Milestone.DELIVERED,),
    Category.ORGAN_LOSS: (Milestone.DELIVERED,),
    Category.BREAST_MILK: (Milestone.DELIVERED,),
    Category.BREAST_MILK_SUPPLIES: (Milestone.DELIVERED,),
}
