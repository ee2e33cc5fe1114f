"""The kit's layouts and macros: valid, accessible in their markup, silent without a permission."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

import pytest
from flask import Flask, render_template

from seedtrust.web import assets
from seedtrust.web.page import Nav
from tests.web.kit_app import make_kit_app
from tests.web.kit_page import make_kit_site, navigation

VOID = {"input", "link", "meta", "br", "hr", "img"}


class Page(HTMLParser):
    """Collects the elements of a page and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and open it."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that has no end."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        if self.open.pop() != tag:
            self.unclosed.append(tag)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def values(self, attribute: str) -> list[str]:
        """Return every value of an attribute."""
        return [held[attribute] or "" for _, held in self.elements if attribute in held]


@pytest.fixture
def site() -> Flask:
    return make_kit_site()


def page(site: Flask, path: str) -> Page:
    return Page(site.test_client().get(path).text)


@pytest.mark.parametrize("path", ["/kit", "/sign-in", "/error"])
def test_a_page_is_well_formed_with_one_heading_and_unique_ids(site: Flask, path: str) -> None:
    found = page(site, path)
    ids = found.values("id")

    assert found.open == found.unclosed == []
    assert [name for name, times in Counter(ids).items() if times > 1] == []
    assert len(found.all("h1")) == 1
    assert len(found.all("main")) == 1
    assert [tag for tag, _ in found.elements].index("title") < 10


@pytest.mark.parametrize("path", ["/kit", "/sign-in", "/error"])
def test_a_page_carries_no_style_script_or_handler_of_its_own(site: Flask, path: str) -> None:
    found = page(site, path)
    names = {name for _, held in found.elements for name in held}

    assert "style" not in names
    assert [name for name in names if name.startswith(("on", "hx-on"))] == []
    assert all(held.get("src") for held in found.all("script"))
    assert all("integrity" in held for held in found.all("script"))
    assert found.all("style") == []


@pytest.mark.parametrize("path", ["/kit", "/sign-in"])
def test_every_field_has_a_label_and_every_reference_an_end(site: Flask, path: str) -> None:
    found = page(site, path)
    ids = set(found.values("id"))
    labelled = {held.get("for") for held in found.all("label")}
    fields = [
        held
        for tag in ("input", "select", "textarea", "progress")
        for held in found.all(tag)
        if held.get("type") not in {"hidden", "submit"}
    ]
    references = [
        name
        for attribute in ("aria-labelledby", "aria-describedby", "for", "popovertarget")
        for value in found.values(attribute)
        for name in value.split()
    ]

    assert fields
    assert [held for held in fields if held.get("id") not in labelled | {None}] == []
    assert [held for held in fields if "id" not in held and "aria-label" not in held] == []
    assert [name for name in references if name not in ids] == []


def test_every_form_that_posts_carries_a_token(site: Flask) -> None:
    text = site.test_client().get("/kit").text
    forms = [part.partition("</form>")[0] for part in text.split("<form")[1:]]
    posting = [form for form in forms if 'method="post"' in form]

    assert len(posting) >= 5
    assert all('name="csrf_token"' in form for form in posting)


def test_the_page_shows_navigation_environment_and_messages(site: Flask) -> None:
    text = site.test_client().get("/kit").text

    assert 'aria-current="page" data-go="c"' in text
    assert "1,204<span" in text
    assert text.count("Sandbox") == 2
    assert "Line 14 could not be &lt;read&gt;." in text
    assert 'tone-ok"' in text
    assert "<title>Everything · SeedTrust</title>" in text


def test_production_shows_no_environment(site: Flask) -> None:
    with site.test_request_context("/"):
        nav = navigation()
        quiet = Nav(nav.sections, nav.user, "/", "/search", "/out")
        text = render_template("layouts/admin.html", nav=quiet)

    assert "environment" not in text


def test_a_field_joins_label_hint_and_error(site: Flask) -> None:
    text = site.test_client().get("/kit").text

    assert 'aria-describedby="amount-hint amount-error"' in text
    assert 'aria-invalid="true"' in text
    assert "Confirm &lt;b&gt;this&lt;/b&gt;." in text
    assert '<a href="#amount">Amount: Enter an amount.</a>' in text
    assert '<a href="#csrf_token">' not in text


def test_a_button_without_permission_says_why_or_is_not_there(site: Flask) -> None:
    text = site.test_client().get("/kit").text

    assert "You built this run.</span>" in text
    assert "Nothing to see" not in text
    assert '<input type="hidden" name="run" value="7">' in text


def test_lists_link_to_their_other_views(site: Flask) -> None:
    text = site.test_client().get("/kit?q=a&state=open&page=2&cursor=x").text

    assert 'href="/kit?q=a&amp;state=open&amp;sort=number"' in text
    assert 'aria-sort="descending"' in text
    assert 'href="/kit?q=a&amp;state=open&amp;cursor=x&amp;page=3" rel="next"' in text
    assert "26–50 of 60 requests" in text
    assert 'href="/kit?q=a&amp;page=2&amp;cursor=x"' in text
    assert '<option value="open" selected>' in text
    assert "First page" in text


def test_stages_are_done_current_and_to_come(site: Flask) -> None:
    text = site.test_client().get("/kit").text

    assert [text.count(f'class="stage {look}"') for look in ("stage-done", "stage-ahead")] == [1, 1]
    assert 'class="stage stage-current" aria-current="step"' in text


def test_charts_are_named_described_and_followed_by_their_figures(site: Flask) -> None:
    found = page(site, "/kit")
    text = site.test_client().get("/kit").text
    drawings = [held for held in found.all("svg") if held.get("role") == "img"]

    assert len(drawings) == 3
    assert all("aria-labelledby" in held or "aria-label" in held for held in drawings)
    assert '<th scope="row"><time datetime="2026-01-01"' in text
    assert "Below minimum on Sep 1, 2026: $1,900.00" in text


def test_htmx_is_told_to_evaluate_nothing_and_to_keep_no_pages(site: Flask) -> None:
    text = site.test_client().get("/kit").text

    assert '"allowEval":false' in text
    assert '"includeIndicatorStyles":false' in text
    assert '"historyCacheSize":0' in text


def test_an_error_page_needs_no_navigation_session_or_token() -> None:
    app = make_kit_app()
    app.jinja_env.globals.pop("csrf_token")
    with app.test_request_context("/"):
        values = {"title": "Broken", "sentence": "It broke.", "request_id": "abc"}
        page = render_template(
            "errors/error.html", next_step="Go back.", back_href="/", back_label="Back", **values
        )
        plain = render_template("errors/plain.html", **values)

    for text in (page, plain):
        assert "<h1>Broken</h1>" in text
        assert "abc" in text
    assert "/assets/" not in plain


def test_the_kit_asks_for_registered_files_only(site: Flask) -> None:
    client = site.test_client()
    found = page(site, "/kit")
    wanted = [
        value
        for held in [*found.all("link"), *found.all("script")]
        for name, value in held.items()
        if name in {"href", "src"} and value
    ]

    assert len(wanted) == 6
    assert all(client.get(path).status_code == 200 for path in wanted)
    assert {path.rpartition("/")[2] for path in wanted} <= {each.name for each in assets.SOURCES}
