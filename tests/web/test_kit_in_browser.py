"""The kit in Chromium: no violation, no sideways scrolling, keys, forms, life without script."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.web.kit_page import make_kit_site

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
POSTS = "POSTS"


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, list[dict[str, str]]]]:
    app = make_kit_site()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", app.config[POSTS]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser, site: tuple[str, list[dict[str, str]]]) -> Iterator[Page]:
    context = chromium.new_context(base_url=site[0], viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", ["/kit", "/sign-in", "/error"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    chromium: Browser, site: tuple[str, list[dict[str, str]]], theme: str, width: int, path: str
) -> None:
    context = chromium.new_context(base_url=site[0], viewport={"width": width, "height": 800})
    context.add_cookies([{"name": "theme", "value": theme, "url": site[0]}])
    page = context.new_page()
    page.goto(path)
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    broken = {
        rule["id"]: [node["target"] for node in rule["nodes"]]
        for rule in results.response["violations"]
    }
    wide = page.evaluate("document.documentElement.scrollWidth")
    scheme = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    context.close()

    assert broken == {}
    assert wide <= width
    assert scheme == theme


def test_the_theme_changes_at_once_and_stays(page: Page) -> None:
    page.goto("/kit")
    page.click(".avatar")
    page.click("#account-menu button[value=dark]")

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.click("button[value=system]")
    expect(page.locator("html")).not_to_have_attribute("data-bs-theme", "dark")


def test_keys_search_move_select_and_go(page: Page) -> None:
    page.goto("/kit")
    page.keyboard.press("/")
    expect(page.locator("#global-search")).to_be_focused()
    page.locator("#global-search").blur()
    for key in ("j", "j", "k", "j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("link", name="A2", exact=True)).to_be_focused()
    expect(page.get_by_label("Select A2")).to_be_checked()
    page.keyboard.press("g")
    with page.expect_navigation(url="**/kit"):
        page.keyboard.press("c")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_keys_can_be_switched_off(page: Page) -> None:
    page.goto("/kit")
    page.keyboard.press("?")
    page.uncheck("[data-keys-switch]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#global-search")).not_to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.locator("#global-search")).to_be_focused()


def test_typing_in_a_field_is_not_a_shortcut(page: Page) -> None:
    page.goto("/kit")
    page.click("#why")
    page.keyboard.type("j/?x")

    expect(page.locator("#why")).to_have_value("j/?x")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_form_is_sent_once_and_names_its_button(
    page: Page, site: tuple[str, list[dict[str, str]]]
) -> None:
    site[1].clear()
    page.goto("/kit")
    button = page.get_by_role("button", name="Again")
    with page.expect_response("**/post"):
        button.dblclick()

    expect(button).to_be_disabled()
    assert len(site[1]) == 1


def test_copying_says_so(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/kit")
    page.get_by_role("button", name="Copy case reference").click()

    expect(page.locator("#announcer")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "CS4KD2MX7PLA3TB"


def test_a_countdown_counts_from_the_clock_of_the_server(page: Page) -> None:
    page.goto("/kit")

    expect(page.locator("[data-left]").first).to_have_text("41 min left")


def test_selecting_all_selects_every_row(page: Page) -> None:
    page.goto("/kit")
    page.check("[data-select-all]")

    expect(page.locator("tbody input[type=checkbox]:checked")).to_have_count(3)


def test_a_refused_form_takes_the_focus_to_its_summary(page: Page) -> None:
    page.goto("/kit")

    expect(page.locator(".error-summary")).to_be_focused()


def test_filters_replace_the_list_and_the_address(page: Page) -> None:
    page.goto("/kit")
    page.evaluate("window.kept = true")
    page.fill("#filter-q", "ortiz")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/kit?q=ortiz*")

    expect(page.locator("#filter-q")).to_have_value("ortiz")
    assert page.evaluate("window.kept")


def test_a_failed_list_keeps_its_rows_and_says_so(
    chromium: Browser, site: tuple[str, list[dict[str, str]]]
) -> None:
    page = chromium.new_page(base_url=site[0])
    page.goto("/kit")
    page.route("**/kit?*", lambda route: route.fulfill(status=500, body="broken"))
    page.get_by_role("button", name="Apply").click()

    expect(page.locator("#flashes")).to_contain_text("could not be updated")
    expect(page.locator("[data-list] tbody tr")).to_have_count(3)
    page.close()


def test_menus_sidebar_filters_and_theme_work_without_script(
    chromium: Browser, site: tuple[str, list[dict[str, str]]]
) -> None:
    context = chromium.new_context(
        base_url=site[0], java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto("/kit")
    page.click(".topbar-menu")
    expect(page.get_by_role("link", name="Today")).to_be_visible()
    page.click(".sidebar-close")
    page.click("details.menu summary")
    expect(page.get_by_role("link", name="Print")).to_be_visible()
    page.fill("#filter-q", "ortiz")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/kit?q=ortiz*")
    page.click(".avatar")
    page.click("#account-menu button[value=dark]")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("[data-copy]").first).to_be_hidden()
    context.close()
