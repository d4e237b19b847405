"""The console of `modicum up`, in a real browser: live figures, a budget that is enforced, a key that is revoked."""

import json
import os
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


def test_a_revoked_key_is_shown_as_such_and_opens_nothing(gateway, open_page, keep_picture):
    page = open_page(f"{gateway.url}/budgets")
    row = page.locator("tr", has_text="ci")
    assert row.locator("td").last.inner_text() == ""
    gateway.run("key", "revoke", "ci")
    page.locator("#keys ~ .scroll tbody td:last-child", has_text="20").wait_for(timeout=30_000)
    keep_picture(page, "console-key-revoked")
    log = open_page(f"{gateway.url}/log")
    log.locator("td", has_text="key revoked").wait_for(timeout=30_000)
    keep_picture(log, "console-log")
    eventually(lambda: gateway.is_refused(openai.AuthenticationError))
