"""The files that `modicum monitoring` writes: each metric in them exists, each query runs, each rule does as it says.

Where promtool and prometheus are installed they judge (MODICUM_PROMETHEUS_BIN names a folder of theirs that is not on
the path); every metric and label is held to real scrapes in any case.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx2 as httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.rig import CHAT, running
from ledger_process.rig import LedgerProcess
from ledger_process.watching.test_watch import record
from modicum.cli.monitoring import verb
from modicum.ledger.worker_reports import FOLDER
from modicum.settings import BudgetSettings, ConsoleSettings, GatewaySettings, MetricsSettings, Settings

FILES = Path(verb.__file__).parent
TESTS = Path(__file__).parent
DASHBOARD = json.loads((FILES / verb.DASHBOARD).read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
RULES = (FILES / verb.RULES).read_text()
RECORDED = set(re.findall(r"record: (\S+)", RULES))
METRIC = re.compile(r"\bmodicum[:_][a-z0-9_:]+")


def tool(name):
    folder = os.environ.get("MODICUM_PROMETHEUS_BIN")
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    return found or pytest.skip(f"{name} is not installed (Debian's package prometheus has it)")


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """A gateway and a ledger process that have something of everything, and the addresses of their metrics."""
    folder = tmp_path_factory.mktemp("monitored")
    (folder / "token").write_text("a-token")
    budget = BudgetSettings(name="team-ever", per="ever", limit_usd=1, team="*")
    settings = Settings(metrics=MetricsSettings(token=f"file:{folder / 'token'}"), budget=(budget,))
    with running(folder) as rig:
        httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers())
        httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers={"authorization": "Bearer mk_a_b"})
        metrics = rig.gateway.parts.metrics
        fill(metrics)
        with LedgerProcess(folder, settings=settings) as process:
            record(folder, "gateway-2", 3)
            record(folder, "gateway-3", 1, model="a-model-of-our-own")
            wait_for(lambda: len([*(folder / FOLDER).glob("*.json")]) > 0)
            url = f"http://127.0.0.1:{process.port}/metrics"
            headers = {"authorization": "Bearer a-token"}
            needed = (
                "modicum_owner_calls_unpriced_total{",
                "modicum_budget_limit_reached_timestamp_seconds{",
                "modicum_owner_refusals_total{",
            )
            wait_for(lambda: all(name in httpx.get(url, headers=headers).text for name in needed))
            text = httpx.get(f"{rig.url}/metrics").text + httpx.get(url, headers=headers).text
            yield folder, rig.url.removeprefix("http://"), f"127.0.0.1:{process.port}", text


def fill(metrics):
    """What happens seldom, so that its metrics are there."""
    metrics.circuit_changed("openai", is_open=False)
    metrics.attempt_failed("openai", "status_500", "retry")
    metrics.provider_limit("openai", "gpt-4o-mini", "tokens", 1000, 500)
    metrics.failed("rules")


def wait_for(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def labels_of(text):
    """Every metric that is exposed, and its labels."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def filled(expression):
    """A query of the dashboard with its variables as Grafana fills them in."""
    for name, value in {"$__range": "1h", "$__rate_interval": "1m", "$team": ".*", "$app": ".*", "$key": ".*"}.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def expressions():
    """All of rules and dashboard: where, and what."""
    # Each rule's expression stands behind `expr:`, on one line or folded on those that are indented further.
    folded = re.sub(r">-\n((?: {10}.*\n)+)", lambda match: " ".join(match[1].split()) + "\n", RULES)
    yield from (("rules", one) for one in re.findall(r"expr: (.+)", folded))
    yield from QUERIES


def test_every_metric_that_is_asked_for_is_exposed(scraped):
    *_, text = scraped
    exposed = labels_of(text)
    asked = {name: where for where, expression in expressions() for name in METRIC.findall(expression)}

    assert len(asked) > 25
    assert {name: where for name, where in asked.items() if name not in exposed and name not in RECORDED} == {}


def test_every_label_that_is_asked_for_is_one_of_its_metrics(scraped):
    *_, text = scraped
    exposed = labels_of(text)
    lacking = []
    for where, expression in expressions():
        names = [name for name in METRIC.findall(expression) if name not in RECORDED]
        known = set().union(*(exposed[name] for name in names)) | {"le", "job", "instance"}
        grouped = {
            label.strip() for group in re.findall(r"\b(?:by|on) ?\(([^)]*)\)", expression) for label in group.split(",")
        }
        matched = set(re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|!~|=|!=)\"", expression))
        lacking += [(where, label) for label in grouped | matched if names and label not in known]

    assert lacking == []


def test_metrics_that_are_asked_for_stand_on_a_page_of_the_docs():
    page = (TESTS.parent.parent.parent / "docs/monitoring.md").read_text()
    page += (TESTS.parent.parent.parent / "docs/gateway.md").read_text()
    page += (TESTS.parent.parent.parent / "docs/optimize.md").read_text()
    asked = {name for _, expression in expressions() for name in METRIC.findall(expression) if name not in RECORDED}
    families = {re.sub(r"_bucket$", "", name) for name in asked}

    def is_there(name):
        stem, _, end = name.rpartition("_")
        return name in page or (stem in page and f"`_{end}`" in page)

    assert sorted(name for name in families if not is_there(name)) == []


def test_the_dashboard_is_whole():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    cells = [
        (column, line)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for column in range(place["x"], place["x"] + place["w"])
        for line in range(place["y"], place["y"] + place["h"])
    ]

    assert len(ids) == len(set(ids))
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in PANELS)
    assert all([*panel["targets"]] and panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)
    assert "datasource" in {one["name"] for one in DASHBOARD["templating"]["list"]}


def test_rules_are_believed_by_promtool_and_do_as_they_say():
    promtool = tool("promtool")
    for words in (["check", "rules", FILES / verb.RULES], ["test", "rules", TESTS / "modicum.rules.test.yml"]):
        judged = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
        assert judged.returncode == 0, judged.stdout + judged.stderr


def test_every_alert_has_a_test_of_its_own():
    alerts = set(re.findall(r"alert: (\S+)", RULES))
    tested = set(re.findall(r"alertname: ([A-Za-z]+)", (TESTS / "modicum.rules.test.yml").read_text()))

    assert len(alerts) >= 20
    assert alerts == tested


def test_a_real_prometheus_scrapes_both_and_runs_every_query(scraped, tmp_path):
    prometheus = tool("prometheus")
    folder, gateway, ledger, _ = scraped
    settings = Settings(
        gateway=GatewaySettings(listen=gateway),
        console=ConsoleSettings(listen=ledger),
        metrics=MetricsSettings(token=f"file:{folder / 'token'}"),
    )
    text = verb.scrape_text(settings).replace("interval: 15s", "interval: 1s")
    (tmp_path / verb.SCRAPES).write_text(text)
    (tmp_path / verb.RULES).write_text(RULES)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [f"--config.file={tmp_path / verb.SCRAPES}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    with subprocess.Popen(
        [prometheus, *words, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], cwd=tmp_path
    ) as process:
        try:
            ask = asker(port)
            wait_for(lambda: ask("sum(up)") == ["2"], 60)
            wait_for(lambda: ask("count(modicum_spend_usd_total) > 0"))
            answers = {(where, one): ask(filled(one)) for where, one in expressions()}
        finally:
            process.terminate()

    assert [place for place, answer in answers.items() if answer is None] == []
    empty = {title for (title, _), answer in answers.items() if title != "rules" and not answer}
    # Of some there is nothing to show within a second: they are rates of what happened before, and of failures.
    assert len(empty) < len(PANELS) / 2


def asker(port):
    def ask(expression):
        """The values of the answer; None: it is no query."""
        try:
            reply = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}).json()
        except (httpx.HTTPError, ValueError):
            return []
        if reply["status"] != "success":
            return None
        return [one["value"][1] for one in reply["data"]["result"]]

    return ask


def test_the_files_are_written_once(folder, modicum):
    Path("modicum.toml").write_text('[metrics]\ntoken = "file:~/token of mine"\n[gateway]\nlisten = "0.0.0.0:4000"\n')
    written = modicum("monitoring", "out")
    again = modicum("monitoring", "out")
    forced = modicum("monitoring", "out", "--force", "--json")

    assert (written.status, again.status, forced.status) == (0, 2, 0)
    assert "would be overwritten; --force does that" in again.err
    assert len(forced.json["files"]) == 3
    text = Path("out/prometheus.yml").read_text()
    assert 'targets: ["127.0.0.1:4000"]' in text
    assert f'credentials_file: "{Path.home()}/token of mine"' in text
    assert json.loads(Path("out/modicum-dashboard.json").read_text())["title"] == "modicum"


def test_without_a_token_it_says_what_is_missing(folder, modicum):
    written = modicum("monitoring", "out")

    assert "need a token" in written.err
    assert "# authorization:" in Path("out/prometheus.yml").read_text()
    assert modicum("monitoring", "out/prometheus.yml").status == 2


def test_scrapes_follow_the_settings():
    settings = Settings(
        gateway=GatewaySettings(listen="[::1]:4000", tls_certificate_file="a.pem"),
        metrics=MetricsSettings(token="env:TOKEN"),
    )
    text = verb.scrape_text(settings)

    assert 'targets: ["[::1]:4000"]' in text
    assert "scheme: https" in text
    assert "what TOKEN of the environment holds" in text
