"""Pages in a real browser. `scripts/test-browser` runs these; without a browser they are left alone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BROWSER = os.environ.get("MODICUM_BROWSER", "")
EXPECTED = re.compile(r"status of (403|409)")
"""Chromium calls a page that refuses an error of the page."""
SCREENSHOTS = Path(os.environ.get("MODICUM_SCREENSHOTS", "build/screenshots")).absolute()

if not BROWSER:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Opens a page in a fresh window; what the browser complains about fails the test."""
    faults, contexts = [], []

    def open_at(url, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                faults.append(message.text)
                if message.type in {"error", "warning"} and not EXPECTED.search(message.text)
                else None
            ),
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def keep_picture():
    """Keeps a picture of the page for people to look at."""

    def keep(page, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return keep


@pytest.fixture
def serious_faults():
    """What axe finds on a page that keeps people from using it, each with the elements concerned."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()

    def check(page):
        found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).response["violations"]
        return [
            (fault["id"], fault["help"], [node["html"][:200] for node in fault["nodes"]])
            for fault in found
            if fault["impact"] in {"serious", "critical"}
        ]

    return check


class ShownConsole:
    """A console over some logs, as a process of its own."""

    def __init__(self, *words, environment):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "modicum", "console", "--listen", "127.0.0.1:0", *words],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        while line := self.process.stderr.readline():
            if line.startswith("console on "):
                self.url = line.split()[2].rstrip(",/")
                return
        raise AssertionError("the console did not start")

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=20)


@pytest.fixture(scope="session")
def sample_console(tmp_path_factory):
    """The console over the sample that comes with modicum."""
    home = tmp_path_factory.mktemp("home")
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "CACHE")}
    console = ShownConsole("--found", environment={**os.environ, "HOME": str(home), "TZ": "UTC", **folders})
    yield console
    console.close()
