"""Closing a case: accounting, certification, refund."""
