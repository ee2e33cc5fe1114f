"""First answers to writes, so that a repeated call has one effect."""
