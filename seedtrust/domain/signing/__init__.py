"""Signing: the frozen text of an agreement, electronic signatures, certificates and copies."""
