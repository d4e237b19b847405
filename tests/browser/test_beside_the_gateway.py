"""The console of `modicum up`, in a real browser: live figures, a budget that is enforced, a key that is revoked."""

import json
import os
import re
import subprocess
import sys

import openai
import pytest

from cli.process_rig import eventually, free_port, ready

WORDS = [sys.executable, "-m", "modicum"]


class Gateway:
    """A mock provider, a gateway with a small budget, and its console."""

    def __init__(self, home):
        mock, self.port, pages, api = (free_port() for _ in range(4))
        folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "CACHE")}
        self.environment = {**os.environ, "HOME": str(home), "TZ": "UTC", **folders}
        self.environment["MODICUM_CONFIG"] = str(home / "modicum.toml")
        settings = self.run("mock", "--settings", "--listen", f"127.0.0.1:{mock}", without_settings=True)
        (home / "modicum.toml").write_text(
            f'{settings}\n[gateway]\nlisten = "127.0.0.1:{self.port}"\n'
            f'[console]\nlisten = "127.0.0.1:{api}"\npages_listen = "127.0.0.1:{pages}"\n'
            '[[budget]]\nname = "three calls"\nper = "ever"\nlimit_calls = 3\n'
        )
        self.url = f"http://127.0.0.1:{pages}"
        self.key = json.loads(self.run("key", "create", "ci", "--json"))["key"]
        self.processes = [
            subprocess.Popen([*WORDS, *words], env=self.environment, stderr=subprocess.DEVNULL)
            for words in (("mock", "--listen", f"127.0.0.1:{mock}"), ("up",))
        ]
        for url in (f"http://127.0.0.1:{self.port}/readyz", f"{self.url}/healthz"):
            ready(url)

    def run(self, *words, without_settings=False):
        environment = dict(self.environment)
        if without_settings:
            del environment["MODICUM_CONFIG"]
        return subprocess.run([*WORDS, *words], env=environment, capture_output=True, text=True, check=True).stdout

    def call(self):
        with openai.OpenAI(base_url=f"http://127.0.0.1:{self.port}/v1", api_key=self.key, max_retries=0) as client:
            client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}])

    def is_refused(self, why):
        """Whether a call is refused for that reason; by the budget it is refused for another."""
        try:
            self.call()
        except openai.APIStatusError as error:
            return isinstance(error, why)
        return False

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(60)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    running = Gateway(tmp_path_factory.mktemp("gateway"))
    yield running
    running.close()


def test_calls_appear_by_themselves_and_a_budget_is_enforced(gateway, open_page, keep_picture, serious_faults):
    page = open_page(f"{gateway.url}/overview")
    assert "no calls yet" in page.locator(".nothing").inner_text()
    gateway.call()
    page.locator(".tile", has_text="in the last minute").get_by_text("1 call").wait_for(timeout=30_000)
    keep_picture(page, "console-live")

    budgets = open_page(f"{gateway.url}/budgets")
    budgets.locator("table", has_text="three calls").get_by_text("2 calls").wait_for(timeout=30_000)
    for _ in range(2):
        gateway.call()
    with pytest.raises(openai.APIStatusError) as refused:
        gateway.call()
    assert "three calls" in str(refused.value)
    budgets.locator("table", has_text="three calls").get_by_text("now", exact=True).wait_for(timeout=30_000)
    keep_picture(budgets, "console-budget-used-up")
    assert serious_faults(budgets) == []


def test_a_budget_that_is_set_on_the_page_is_enforced_and_the_second_editor_is_refused(
    gateway, open_page, keep_picture, serious_faults
):
    page = open_page(f"{gateway.url}/budgets")
    other = open_page(f"{gateway.url}/budgets", java_script_enabled=False)  # no live update brings it up to date
    for one, limit in ((page, "5"), (other, "9")):
        form = one.locator("form[aria-label='Set a limit']")
        form.locator("input[name=limit]").fill(limit)
        form.locator("button").click()
    assert "changed meanwhile" in other.locator("[role=alert]").inner_text()
    keep_picture(other, "console-two-editors")
    page.locator("table", has_text="three calls").get_by_text("5 calls").first.wait_for(timeout=30_000)
    keep_picture(page, "console-budget-set")
    assert serious_faults(page) == []

    eventually(lambda: not gateway.is_refused(openai.APIStatusError))  # the gateway has read the settings again
    eventually(lambda: gateway.is_refused(openai.APIStatusError))
    page.locator("li", has_text="limit_calls").locator("button").click()
    page.wait_for_load_state()
    assert page.locator("li", has_text="limit_calls").count() == 0


def test_a_key_that_is_revoked_on_the_page_is_shown_as_such_and_opens_nothing(gateway, open_page, keep_picture):
    page = open_page(f"{gateway.url}/budgets")
    row = page.locator("tr", has_text="ci")
    assert row.locator("td").last.inner_text() == ""
    page.locator("form[aria-label='Revoke a key'] button").click()
    page.locator("#keys ~ .scroll tbody td:last-child", has_text="20").wait_for(timeout=30_000)
    keep_picture(page, "console-key-revoked")
    log = open_page(f"{gateway.url}/log")
    log.locator("td", has_text="key revoked").wait_for(timeout=30_000)
    keep_picture(log, "console-log")
    eventually(lambda: gateway.is_refused(openai.AuthenticationError))


def test_who_is_no_user_is_refused_and_who_was_removed_loses_open_tabs(
    gateway, open_page, keep_picture, serious_faults
):
    gateway.run("user", "add", "ann", "owner")
    link = gateway.run("user", "add", "bob", "viewer:search").splitlines()[-1]
    stranger = open_page(f"{gateway.url}/overview")
    assert stranger.url.endswith("/login?next=/overview")
    assert serious_faults(stranger) == []
    stranger.locator("input[name=name]").fill("bob")
    stranger.locator("input[name=password]").fill("no password of bob's")
    stranger.locator("form button").click()
    assert "are wrong" in stranger.locator("[role=alert]").inner_text()
    keep_picture(stranger, "console-login-refused")

    page = open_page(link)
    page.locator("form button").click()
    page.wait_for_url("**/overview")
    assert page.locator("nav[aria-label=Pages] a", has_text="Waste").count() == 0
    keep_picture(page, "console-viewer-of-a-team")
    gateway.run("user", "remove", "bob")
    page.wait_for_url(re.compile(r"/login\?next="), timeout=30_000)
