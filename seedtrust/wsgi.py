"""The application for a WSGI server: `gunicorn seedtrust.wsgi:app`."""

from __future__ import annotations

from seedtrust.app import create_app
from seedtrust.settings import Settings

app = create_app(Settings.from_env())
