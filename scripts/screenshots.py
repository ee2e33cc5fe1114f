"""Photograph the main screens of a demo, wide and narrow, light and dark.

python -m scripts.screenshots                 starts a demo of its own and ends it
python -m scripts.screenshots --data var      uses the demo that runs on that folder
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyotp
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.with_services import free_port

ROOT: Final = Path(__file__).resolve().parent.parent
ROLES: Final = ("payments_lead", "escrow_specialist")
SIZES: Final = {"wide": (1440, 900), "narrow": (360, 780)}
THEMES: Final = ("light", "dark")
READY_WITHIN_SECONDS: Final = 420.0
# /admin/<feature>/<reference> is one thing of a list; deeper ones are its tabs.
DETAIL_SLASHES: Final = 3


@contextlib.contextmanager
def running_demo() -> Iterator[Path]:
    """Run a demo while the block lasts and give its data folder, with every journey played."""
    with tempfile.TemporaryDirectory(prefix="seedtrust-screens-") as name:
        folder = Path(name)
        program = str(Path(sys.executable).parent / "seedtrust")
        options = ["--port", str(free_port()), "--data", name, "--no-browser"]
        demo = subprocess.Popen([program, "demo", *options], stdout=subprocess.DEVNULL)
        try:
            wait_until_played(demo, folder / "demo.json")
            yield folder
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait()


def wait_until_played(demo: subprocess.Popen[bytes], ready: Path) -> None:
    """Return once the demo has said that all is played, or end with one sentence."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    pause = threading.Event()
    while not ready.exists():
        if demo.poll() is not None or time.monotonic() > deadline:
            message = "The demo did not come up; run `make demo` and see what it says."
            raise SystemExit(message)
        pause.wait(0.5)


def sign_in(browser: Browser, base_url: str, login: dict[str, str]) -> Any:
    """Sign in with the second factor and return the state that other windows start from."""
    context = browser.new_context(base_url=base_url)
    page = context.new_page()
    page.goto("/admin/sign-in")
    page.fill("#email", login["email"])
    page.fill("#password", login["password"])
    page.click("main button[type=submit]")
    page.fill("#code", pyotp.TOTP(login["totp_secret"]).now())
    page.click("main button[type=submit]")
    page.wait_for_url("**/admin/**")
    state = context.storage_state()
    context.close()
    return state


def links(page: Page, prefix: str, where: str) -> list[str]:
    """Return the addresses below a prefix that a page links to, in order and once each."""
    found = page.eval_on_selector_all(f"{where} a[href^='{prefix}']", "e => e.map(a => a.pathname)")
    return list(dict.fromkeys(found))


def screens_of(page: Page) -> dict[str, str]:
    """Find the screens: each page of the sidebar, the first thing in its list, and its tabs."""
    page.goto("/admin/account")
    screens: dict[str, str] = {}
    for path in links(page, "/admin/", "nav"):
        name = path.removeprefix("/admin/").replace("/", "-")
        screens[name] = path
        page.goto(path)
        details = [
            link for link in links(page, f"{path}/", "main") if link.count("/") == DETAIL_SLASHES
        ]
        if details:
            screens[f"{name}-one"] = details[0]
            page.goto(details[0])
            for tab in links(page, f"{details[0]}/", "main nav"):
                screens[f"{name}-{tab.rpartition('/')[2]}"] = tab
    return screens


def photograph(
    browser: Browser, base_url: str, state: Any, screens: dict[str, str], out: Path
) -> int:
    """Take every screen in every size and theme and return how many pictures were made."""
    made = 0
    for size, (width, height) in SIZES.items():
        for theme in THEMES:
            context = browser.new_context(
                base_url=base_url,
                storage_state=state,
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            for name, path in screens.items():
                answer = page.goto(path)
                if answer is None or not answer.ok:
                    print(f"{path} has no picture: it answers {answer and answer.status}")
                    continue
                page.wait_for_load_state("networkidle")
                page.screenshot(path=out / f"{name}-{size}-{theme}.png", full_page=size == "wide")
                made += 1
            context.close()
    return made


def main() -> None:
    """Photograph a running demo, or one started for it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="data folder of a demo that runs already")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", nargs="*", help="names of the screens, as in the pictures' names")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    source = contextlib.nullcontext(options.data) if options.data else running_demo()
    with source as folder, sync_playwright() as playwright:
        demo = json.loads((folder / "demo.json").read_text())
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        seen: set[str] = set()
        made = 0
        for role in ROLES:
            login = next(login for login in demo["staff"] if login["role"] == role)
            state = sign_in(browser, demo["base_url"], login)
            context = browser.new_context(base_url=demo["base_url"], storage_state=state)
            found = screens_of(context.new_page())
            context.close()
            wanted = {
                name: path
                for name, path in found.items()
                if name not in seen and (not options.only or name in options.only)
            }
            seen |= wanted.keys()
            made += photograph(browser, demo["base_url"], state, wanted, options.out)
        browser.close()
    print(f"{made} pictures are in {options.out}")


if __name__ == "__main__":
    main()
