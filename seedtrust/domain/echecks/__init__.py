"""Money that parents let us draw from their own bank accounts: e-checks, which are ACH debits."""
