"""One page with every macro of the kit, and the application that serves it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from flask import Flask, flash, render_template, render_template_string, request
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired

from seedtrust.web.charts import bar_chart, forecast_chart, sparkline
from seedtrust.web.page import Nav, NavItem, NavSection, NavUser, Stage, TimelineItem
from tests.web.kit_app import make_kit_app

NOW: Final = datetime(2026, 7, 6, 18, 3, 20, tzinfo=UTC)
TODAY: Final = date(2026, 7, 6)
SOURCE: Final = (Path(__file__).parent / "templates" / "kit.html").read_text(encoding="utf-8")
SIGN_IN: Final = """
{% extends "layouts/auth.html" %}
{% from "macros/forms.html" import field, form_start, form_actions %}
{% block title %}Sign in{% endblock %}
{% block content %}
{{ form_start(label="Sign in") }}{{ field(form.note) }}{{ form_actions("Sign in") }}</form>
{% endblock %}
{% block aside %}<a href="/help">I cannot sign in</a>{% endblock %}
"""


class RequestForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """A form with a field of each kind."""

    amount = StringField("Amount", validators=[DataRequired("Enter an amount.")])
    category = SelectField(
        "Category", choices=[SelectChoice("a", "Allowance")], description="What it is for"
    )
    how = RadioField(
        "How", choices=[SelectChoice("ach", "Bank transfer"), SelectChoice("wire", "Wire")]
    )
    note = TextAreaField("Note")
    code = StringField("Code")
    agree = BooleanField("I agree", validators=[DataRequired("Confirm <b>this</b>.")])


def navigation() -> Nav:
    """Return a sidebar with a current page, a count and a shortcut."""
    items = (
        NavItem("Today", "/", "layout-dashboard", key="t"),
        NavItem("Cases", "/kit", "folder-heart", current=True, count=1204, key="c"),
    )
    return Nav(
        sections=(NavSection("Overview", items),),
        user=NavUser("Maria Ortiz", "Reviewer", "/account"),
        home_href="/",
        search_href="/search",
        sign_out_href="/sign-out",
        environment="Sandbox",
        business_on=TODAY,
    )


def _values() -> dict[str, object]:
    points = [(date(2026, month, 1), 1_000_000 - month * 90_000) for month in range(1, 13)]
    form = RequestForm()
    form.validate()
    return {
        "form": form,
        "now": NOW,
        "today": TODAY,
        "deadline": NOW + timedelta(minutes=42),
        "stages": [Stage("a", "Funding", TODAY), Stage("b", "Pregnant"), Stage("c", "Closed")],
        "items": [
            TimelineItem("Approved", NOW, "For payment", "M. Ortiz", "Clause 4.2", "/audit"),
            TimelineItem("Settlement", TODAY, state="expected", icon="building-bank"),
        ],
        "forecast_chart": forecast_chart(points, 300_000, TODAY, points[8]),
        "bar_chart": bar_chart([("Jan", 500_000, 200_000), ("Feb", 0, 100_000)]),
        "line": sparkline([1, 5, 2], title="Requests a week"),
    }


def make_kit_site() -> Flask:
    """Return an application with the page of everything, sign-in, an error and a POST target."""
    app = make_kit_app()
    posts: list[dict[str, str]] = app.config.setdefault("POSTS", [])
    app.context_processor(lambda: {"nav": navigation()})

    @app.get("/kit")
    def kit() -> str:
        flash("The run was released.", "success")
        flash("Line 14 could not be <read>.", "danger")
        return render_template_string(SOURCE, **_values())

    @app.get("/sign-in")
    def sign_in() -> str:
        return render_template_string(SIGN_IN, form=RequestForm())

    @app.get("/error")
    def error() -> str:
        return render_template(
            "errors/error.html",
            title="Not found",
            sentence="There is nothing at this address.",
            next_step="Go back.",
            request_id="abc",
            back_href="/kit",
            back_label="Go back",
        )

    @app.post("/post")
    def post() -> tuple[str, int]:
        posts.append(dict(request.form))
        return "", 204

    return app
