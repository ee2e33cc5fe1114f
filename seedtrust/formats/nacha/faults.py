"""What can be wrong with a NACHA file: one shape for readers, one error for the writer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, or odd, at one place of a file.

    `line` counts records from 1 (lines, if the file has line ends), `column` characters from 1.
    `code` is stable and for programs; `message` is a sentence for people and never holds an
    account number. A warning does not make the file invalid.
    """

    line: int
    column: int
    field: str
    code: str
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        """Return line, column, kind, code and sentence on one line."""
        kind = "warning" if self.is_warning else "fault"
        return f"{self.line}:{self.column}: {kind} {self.code} ({self.field}): {self.message}"


#: Faults that leave the file valid: legal, but not what a careful originator sends.
WARNING_CODES = frozenset(
    {
        "closed-day",
        "date-before-creation",
        "date-far-ahead",
        "date-missing",
        "description-odd",
        "destination-odd",
        "not-left-justified",
        "over-same-day-limit",
        "payment-type-missing",
        "person-to-person",
        "same-day-marker",
    },
)

#: Faults of form that the lenient reader repairs or looks past: it reports them as warnings.
TOLERATED_CODES = frozenset(
    {
        "after-file-control",
        "blank-line",
        "block-count",
        "byte-order-mark",
        "filler",
        "line-end",
        "missing-batch-control",
        "missing-batch-header",
        "missing-file-control",
        "missing-file-header",
        "no-batches",
        "not-ascii",
        "record-length",
    },
)


class WriteError(ValueError):
    """The writer refuses the input; nothing that it wrote so far may be sent.

    `code` is stable and for programs, `field` names the input, and `batch_number` and
    `trace_number` say where, as far as known. The text never holds an account number.
    """

    def __init__(
        self,
        code: str,
        field: str,
        message: str,
        *,
        batch_number: int | None = None,
        trace_number: str | None = None,
    ) -> None:
        """Keep the place and build the sentence that people read."""
        self.code = code
        self.field = field
        self.batch_number = batch_number
        self.trace_number = trace_number
        where = "" if batch_number is None else f"Batch {batch_number}: "
        if trace_number is not None:
            where = f"{where}Entry {trace_number}: "
        super().__init__(f"{where}{message}")


class ReadError(ValueError):
    """The strict streaming reader met a fault; `fault` says which."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        self.fault = fault
        super().__init__(str(fault))
