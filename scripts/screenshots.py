"""Photograph the main screens in the middle of the sample journey, for the README and for the eye.

python -m scripts.screenshots                      all of them, into docs/images
python -m scripts.screenshots --only today case    some of them
python -m scripts.screenshots --every --out DIR    every page of the sidebar as well
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine, Reconciliation
from tests.support import databases
from tests.support.browser import (
    MILEAGE,
    PATIENCE_MS,
    TRAVEL,
    Seat,
    World,
    fill_the_desk,
    launch,
    prepare,
    served,
    take_seat,
)

IMAGES: Final = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTHS: Final = {1440: 900, 360: 780}
COLOURS: Final = 256
THEMES: Final = ("light", "dark")
# The lead decides on runs, the escrow specialist on requests.
LEAD, ESCROW = "lead1", "escrow1"


def main_screens(world: World, run: str) -> dict[str, tuple[str, str]]:
    """Return who looks at which address, by the name of the picture."""
    case = f"/admin/cases/{world.case}"
    return {
        "today": (LEAD, "/admin/today"),
        "case": (LEAD, case),
        "case-ledger": (LEAD, f"{case}/ledger"),
        "request-review": (ESCROW, f"/admin/requests/{world.request(MILEAGE)}"),
        "run": (LEAD, f"/admin/runs/{run}"),
        "run-release": (LEAD, f"/admin/runs/{run}/release"),
        "statement": (LEAD, f"/admin/statements/{latest_statement(world)}"),
        "proof": (LEAD, "/admin/statements/proof"),
    }


def latest_statement(world: World) -> str:
    """Return the reference of the newest statement on which something moved."""
    moved = (
        select(BankStatement.reference)
        .join(BankStatementLine, BankStatementLine.statement_id == BankStatement.id)
        .order_by(BankStatement.as_of_on.desc())
    )
    found: str = world.read(lambda session: session.execute(moved).scalars().first())
    return found


def _reconciled_day(world: World) -> str:
    latest = select(Reconciliation.reference).order_by(Reconciliation.as_of_on.desc())
    found: str = world.read(lambda session: session.execute(latest).scalars().first())
    return found


def further_screens(world: World, run: str) -> dict[str, tuple[str, str]]:
    """Return the rest of what staff look at, for a pair of eyes rather than for the README."""
    case = f"/admin/cases/{world.case}"
    lists = ("cases", "requests", "payees", "runs", "payments", "deposits", "statements", "people")
    tabs = ("schedule", "requests", "papers", "activity", "statement")
    return {
        **{f"list-{name}": (LEAD, f"/admin/{name}") for name in lists},
        **{f"case-{name}": (LEAD, f"{case}/{name}") for name in tabs},
        "request-partly-accepted": (LEAD, f"/admin/requests/{world.request(TRAVEL)}"),
        "list-reconciliation": (LEAD, "/admin/reconciliation"),
        "reconciliation": (LEAD, f"/admin/reconciliation/{_reconciled_day(world)}"),
        "account": (LEAD, "/admin/account"),
        "exceptions": (LEAD, "/admin/today/exceptions"),
        "clock": (LEAD, "/admin/clock"),
        "jobs": ("it1", "/admin/jobs"),
        "build": ("payments1", "/admin/runs/build"),
        "stop": ("payments1", f"/admin/runs/{run}/cancel"),
    }


def photograph(
    browser: Browser, world: World, screens: dict[str, tuple[str, str]], out: Path
) -> Iterator[Path]:
    """Take every screen in both widths and both themes and give each picture's path."""
    for key in sorted({who for who, _ in screens.values()}):
        seat = take_seat(browser, world, key)
        seat.sign_in()
        own = {name: path for name, (who, path) in screens.items() if who == key}
        if "run-release" in own:
            confirm(seat, own["run-release"])
        for width, height in WIDTHS.items():
            for theme in THEMES:
                seat.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                for name, path in own.items():
                    seat.page.set_viewport_size({"width": width, "height": height})
                    seat.page.goto(path, wait_until="networkidle")
                    picture = out / f"{name}-{theme}-{width}.png"
                    take(seat.page, picture)
                    yield picture
        seat.context.close()
        if seat.complaints:
            print(f"{key} saw: {seat.complaints}")


def take(page: Page, picture: Path) -> None:
    """Photograph a whole page, once the browser's own viewer has drawn the evidence on it."""
    size = page.viewport_size
    assert size is not None
    whole = page.evaluate("document.documentElement.scrollHeight")
    # A window of the page's height, because the viewer draws nothing beyond the window.
    page.set_viewport_size({"width": size["width"], "height": max(whole, size["height"])})
    for frame in page.frames:
        if frame.url.startswith("chrome-extension:"):
            drawn = "document.querySelector('pdf-viewer')?.loadProgress_ === 100"
            frame.wait_for_function(drawn, timeout=PATIENCE_MS)
            frame.wait_for_function("new Promise(requestAnimationFrame)", timeout=PATIENCE_MS)
    page.screenshot(path=picture)
    # Plain surfaces and letters need no more colours, and the file shrinks to a third.
    with Image.open(picture) as taken:
        taken.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


def confirm(seat: Seat, address: str) -> None:
    """Give a fresh code, so that the release page shows its last step."""
    seat.page.goto(f"/admin/confirm?next={address}")
    seat.page.get_by_label("Code").fill(seat.world.code(seat.key))
    seat.page.get_by_role("button", name="Confirm").click()
    seat.page.wait_for_url(f"**{address}")
    seat.page.reload()


def main() -> None:
    """Prepare a case in the middle of its journey and photograph it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--only", nargs="*", help="names of screens, as in the pictures' names")
    parser.add_argument("--every", action="store_true", help="lists, tabs and forms as well")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="seedtrust-screens-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        template = databases.migrated_sqlite(folder / "template.sqlite3")
        with served(prepare(template, folder / "data")) as world, sync_playwright() as playwright:
            run = fill_the_desk(world)
            screens = main_screens(world, run)
            if options.every:
                screens |= further_screens(world, run)
            wanted = {k: v for k, v in screens.items() if not options.only or k in options.only}
            browser = launch(playwright)
            made = list(photograph(browser, world, wanted, options.out))
            browser.close()
    print(f"{len(made)} pictures are in {options.out}")


if __name__ == "__main__":
    main()
