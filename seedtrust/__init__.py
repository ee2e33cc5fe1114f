"""SeedTrust: escrow for families who have a child with a surrogate's or donor's help."""

from __future__ import annotations

__version__ = "0.1.0"
