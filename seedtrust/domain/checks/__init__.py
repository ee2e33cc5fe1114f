"""Checks that pay payees: the register, from preparing one to the bank's line or the long wait."""
