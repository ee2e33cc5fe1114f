"""Promises of work outside the database, written in the transaction that makes them."""
