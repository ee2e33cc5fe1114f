"""Walking through the two doors as a person does: pages with their tokens, calls with a bearer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from seedtrust.core.clock import FixedClock
from seedtrust.core.permissions import Role
from seedtrust.domain.identity import second_factor
from seedtrust.domain.identity.states import UserKind
from seedtrust.ext import in_transaction
from tests.factories.identity import SEED, Person, make_person

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def person_in(
    app: Flask, *roles: Role, kind: UserKind | None = None, seed: str | None = SEED
) -> Person:
    """Add and commit an account that can sign in at both doors of this application."""
    wiring = app.extensions["seedtrust"]
    with app.app_context():
        return in_transaction(
            lambda session: make_person(
                session,
                *roles,
                kind=kind,
                seed=seed,
                keyring=wiring.keyring,
                now=wiring.clock.now(),
            )
        )


@dataclass
class Browser:
    """A browser at the staff's pages: keeps cookies, sends each form with its token."""

    app: Flask
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def clock(self) -> FixedClock:
        """Return the clock of the application."""
        clock: FixedClock = self.app.extensions["seedtrust"].clock
        return clock

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **options)

    def submit(
        self, path: str, form: dict[str, Any] | None = None, *, page: str | None = None
    ) -> TestResponse:
        """Open a page (this path unless another is named) and send its form to the path."""
        source = page or path
        token = csrf_token(self.client.get(source))
        return self.client.post(
            path,
            data={"csrf_token": token, **(form or {})},
            headers={"Referer": f"http://localhost{source}"},
        )

    def next_code(self, person: Person) -> str:
        """Wait for the next code of somebody's app, and return it."""
        assert person.seed is not None
        self.clock.advance(timedelta(seconds=second_factor.STEP_SECONDS))
        return second_factor.code_at(person.seed, self.clock.now())

    def sign_in(self, person: Person) -> TestResponse:
        """Sign in with both factors and return the last answer."""
        self.submit("/admin/sign-in", {"email": person.email, "password": person.password})
        return self.submit("/admin/sign-in/code", {"code": self.next_code(person)})

    def step_up(self, person: Person) -> TestResponse:
        """Confirm with a fresh code."""
        return self.submit("/admin/confirm", {"code": self.next_code(person)})


def csrf_token(page: TestResponse) -> str:
    """Return the token of the first form of a page."""
    found = _TOKEN.search(page.text)
    assert found is not None, f"no form on the page: {page.status} {page.text[:200]}"
    return found[1]


@dataclass
class ApiClient:
    """A program at the API: sends its bearer token, reads JSON, has no cookies."""

    app: Flask
    access_token: str = ""
    refresh_token: str = ""

    @property
    def clock(self) -> FixedClock:
        """Return the clock of the application."""
        clock: FixedClock = self.app.extensions["seedtrust"].clock
        return clock

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send one call under /api/v1 with the access token, if there is one."""
        headers = dict(options.pop("headers", {}))
        if self.access_token:
            headers.setdefault("Authorization", f"Bearer {self.access_token}")
        client = self.app.test_client(use_cookies=False)
        return client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Read."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: object = None, *, key: str | None = None) -> TestResponse:
        """Write, with an idempotency key if one is given."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.call("POST", path, json=body if body is not None else {}, headers=headers)

    def token(self, **values: str) -> TestResponse:
        """Ask the token endpoint and keep what it hands out."""
        answer = self.app.test_client(use_cookies=False).post("/api/v1/auth/token", json=values)
        body = answer.get_json()
        if answer.status_code == 200:
            self.access_token, self.refresh_token = body["access_token"], body["refresh_token"]
        return answer

    def sign_in(self, person: Person) -> TestResponse:
        """Sign in with the password, and with a code where one is asked for."""
        answer = self.token(grant_type="password", username=person.email, password=person.password)
        body = answer.get_json()
        if body.get("error") != "mfa_required":
            return answer
        return self.token(
            grant_type="urn:seedtrust:params:oauth:grant-type:mfa-otp",
            mfa_token=body["mfa_token"],
            otp=self.next_code(person),
        )

    def next_code(self, person: Person) -> str:
        """Wait for the next code of somebody's app, and return it."""
        assert person.seed is not None
        self.clock.advance(timedelta(seconds=second_factor.STEP_SECONDS))
        return second_factor.code_at(person.seed, self.clock.now())

    def refresh(self) -> TestResponse:
        """Refresh with the token at hand."""
        return self.token(grant_type="refresh_token", refresh_token=self.refresh_token)
