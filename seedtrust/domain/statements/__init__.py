"""A case's money as its people read it: balance and ledger lines in words."""
