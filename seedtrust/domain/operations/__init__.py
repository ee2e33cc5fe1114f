"""Housekeeping that every feature leans on: job runs, the business clock, exception items."""
