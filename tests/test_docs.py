"""Docs are held to the code: what is public stands in them."""

import re
import runpy
from pathlib import Path

import msgspec
import pytest

from modicum.calls import BUCKETS, Basis
from modicum.cli import VERBS
from modicum.importers import FORMATS
from modicum.settings import (
    AlertSettings,
    BudgetSettings,
    CascadeSettings,
    ConsoleSettings,
    GatewaySettings,
    LimitSettings,
    MetricsSettings,
    OptimizeSettings,
    OtelSettings,
    OutcomeSettings,
    PolicySettings,
    PromptSettings,
    RedactionSettings,
    ReplyCacheSettings,
    ResilienceSettings,
    RouteSettings,
    SemanticCacheSettings,
    Settings,
    TeamSettings,
    UpstreamSettings,
    VariantSettings,
    read_settings,
)
from modicum.settings.governance.policy import ClauseSettings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]


def test_the_glossary_has_every_bucket_and_every_basis():
    glossary = (ROOT / "docs/glossary.md").read_text()

    assert all(f"| `{bucket}` |" in glossary for bucket in BUCKETS)
    assert all(f"`{basis}`" in glossary for basis in Basis)


@pytest.mark.parametrize("verb", VERBS)
def test_the_readme_names_every_verb(verb):
    assert f"`modicum {verb}`" in (readme := (ROOT / "README.md").read_text()) or f"`{verb}`" in readme


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_page_that_says_what_it_was_checked_against(name):
    own = ROOT / "docs/formats" / f"{name}.md"
    reference = (ROOT / "docs/reference/formats.md").read_text()

    assert "checked against" in own.read_text().lower() if own.exists() else f"## {name}\n" in reference


def test_every_dependency_has_its_line():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [line.split(">")[0] for line in project["dependencies"]]
    page = (ROOT / "docs/dependencies.md").read_text()

    assert [name for name in names if f"| {name} |" not in page] == []
    assert [extra for extra in project["optional-dependencies"] if extra != "dev" and f"`{extra}`" not in page] == []


def test_no_lock_file_names_a_host():
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text()


def test_every_setting_has_its_line():
    page = (ROOT / "docs/ledger.md").read_text()
    names = [field.name for field in msgspec.structs.fields(Settings) if field.name not in {"file", "policy_rules"}]

    assert [name for name in names if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("table", [GatewaySettings, ConsoleSettings, OtelSettings, UpstreamSettings, TeamSettings])
def test_every_setting_of_the_gateway_has_its_line(table):
    page = (ROOT / "docs/gateway.md").read_text()

    assert [field.name for field in msgspec.structs.fields(table) if f"| `{field.name}` |" not in page] == []


def test_every_test_that_the_threat_model_names_is_there():
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", (ROOT / "docs/threat-model.md").read_text()))
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    present = set(re.findall(r"def (test_[a-z0-9_]+)\(", tests))

    assert len(named) > 50
    assert sorted(named - present) == []


@pytest.mark.parametrize("table", [AlertSettings, MetricsSettings])
def test_every_setting_of_monitoring_has_its_line(table):
    page = (ROOT / "docs/monitoring.md").read_text()

    assert [field.name for field in msgspec.structs.fields(table) if f"| `{field.name}` |" not in page] == []


@pytest.mark.parametrize("table", [RouteSettings, CascadeSettings])
def test_every_setting_of_routing_has_its_line(table):
    page = (ROOT / "docs/routing.md").read_text()

    assert [field.name for field in msgspec.structs.fields(table) if f"| `{field.name}` |" not in page] == []


def test_every_setting_of_rules_has_its_line():
    page = (ROOT / "docs/optimize.md").read_text()

    assert [one.name for one in msgspec.structs.fields(OptimizeSettings) if f"| `{one.name}` |" not in page] == []


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("redaction", RedactionSettings),
        ("reply-cache", ReplyCacheSettings),
        ("semantic-cache", SemanticCacheSettings),
    ],
)
def test_every_setting_of_a_row_for_some_calls_has_its_line(page, table):
    text = (ROOT / "docs" / f"{page}.md").read_text()

    assert [field.name for field in msgspec.structs.fields(table) if f"`{field.name}`" not in text] == []


@pytest.mark.parametrize("table", [PromptSettings, VariantSettings])
def test_every_setting_of_a_change_on_trial_has_its_line(table):
    page = (ROOT / "docs/experiments.md").read_text()

    assert [one.name for one in msgspec.structs.fields(table) if f"`{one.name}`" not in page] == []


def test_every_setting_of_a_budget_has_its_line():
    page = (ROOT / "docs/budgets.md").read_text()

    for table in (BudgetSettings, OutcomeSettings):
        assert [one.name for one in msgspec.structs.fields(table) if f"`{one.name}`" not in page] == []


def test_every_setting_of_a_limit_has_its_line():
    page = (ROOT / "docs/limits.md").read_text()

    assert [one.name for one in msgspec.structs.fields(LimitSettings) if f"`{one.name}`" not in page] == []


def test_every_setting_of_resilience_has_its_line():
    page = (ROOT / "docs/resilience.md").read_text()

    assert [one.name for one in msgspec.structs.fields(ResilienceSettings) if f"`{one.name}`" not in page] == []


def test_every_setting_of_a_policy_has_its_line():
    page = (ROOT / "docs/policy.md").read_text()

    names = [one.name for table in (PolicySettings, ClauseSettings) for one in msgspec.structs.fields(table)]
    places = {
        "file": "`policy.toml`",
        "clause": "[[clause]]",
        "budget": "[[budget]]",
        "outcome": "[[outcome]]",
        "owner_class": "[[owner_class]]",
    }
    assert [name for name in names if places.get(name, f"`{name}`") not in page] == []


def test_every_field_of_the_bill_is_documented(modicum, transcripts):
    page = (ROOT / "docs/bill.md").read_text()

    assert [name for name in modicum("bill", transcripts, "--json").json if f"`{name}`" not in page] == []


@pytest.mark.parametrize("words", [(), ("bill", ROOT / "src/modicum/sample/logs")])
def test_the_readme_shows_what_is_printed(words, modicum):
    ran = modicum(*words)
    printed = iter([line.rstrip() for line in (ran.err + ran.out).splitlines()])
    blocks = (ROOT / "README.md").read_text().split("```\n")[1::2]
    opening = "$ scripts/run bill" if words else "no agent logs in this home directory"
    block = next(block for block in blocks if block.startswith(opening))
    shown = [line for line in block.splitlines() if line not in {"", "..."} and not line.startswith("$ ")]

    assert [line for line in shown if line not in printed] == []


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in link]

    assert [link for link in links if not leads_somewhere(page, *link.partition("#")[::2])] == []


def test_every_page_is_linked_by_another_one():
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
        if "://" not in link and not link.startswith("#")
    }

    assert [page.name for page in (ROOT / "docs").rglob("*.md") if page.resolve() not in linked] == []


def leads_somewhere(page, path, heading):
    there = page.parent / path if path else page
    if not there.exists() or not heading:
        return there.exists()
    titles = re.findall(r"^#+ (.*)", there.read_text(), re.MULTILINE)
    return heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_reference_is_as_the_code_says():
    script = runpy.run_path(str(ROOT / "scripts" / "reference.py"))

    assert script["main"](checks=True) == 0, "run 'python scripts/reference.py'"


def test_the_settings_of_many_gateways_are_settings(monkeypatch):
    monkeypatch.setenv("MODICUM_CONFIG", str(ROOT / "docs/scale/modicum.toml"))

    settings = read_settings()

    assert settings.ledger.startswith("clickhouse://")
    assert settings.state.redis
