"""What a BAI2 reader or writer has to say about a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a file; ``line`` counts from 1, and 0 means the file as a whole."""

    line: int
    record: str
    code: str
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        kind = "warning" if self.is_warning else "error"
        return f"line {self.line}: {kind} {self.code}: {self.message}"


class Bai2Error(ValueError):
    """The data cannot be used as a whole; ``findings`` holds every reason that was found."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Take every finding of the file, warnings too."""
        self.findings = findings
        first = next((item for item in findings if not item.is_warning), None)
        super().__init__(str(first) if first is not None else "the BAI2 data cannot be used")
