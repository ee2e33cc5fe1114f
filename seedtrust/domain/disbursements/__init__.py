"""Requests to release money."""
