"""Adapters for the ports of the domain: mail, storage, the bank."""
