from decimal import Decimal

import pytest

from console.rig import Site
from modicum.cli.console.sample_state import BUDGETS, add_sample_state, with_sample_budgets
from modicum.cli.inputs.found_logs import _sample_folder
from modicum.cli.inputs.log_reading import read_logs
from modicum.console.pages import PAGES
from modicum.insights.scoping.scope import Scope
from modicum.ledger.opening import open_store
from modicum.library.call_booking import book_calls, make_reading
from modicum.metering.prices import PriceBook
from modicum.settings import Settings


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder, store = tmp_path_factory.mktemp("state"), open_store(":memory:")
    logs = [_sample_folder() / "logs" / f"{name}.jsonl.gz" for name in ("copywriters", "support-bot")]
    book_calls(read_logs(logs, make_reading(anatomy=False), None, []), store, PriceBook())
    add_sample_state(folder, store)
    made = Site(
        store, state=folder, settings=with_sample_budgets(Settings(timezone="UTC", file="mine.toml")), is_sample=True
    )
    yield made
    made.console.close()
    store.close()


@pytest.mark.parametrize(
    ("page", "part"),
    [
        ("budgets", "the shop"),
        ("budgets", "copywriters"),
        ("log", "key revoked"),
        ("energy", "12 windows"),
        ("teams", "Agents of copywriters"),
        ("experiments", "folded-logs"),
        ("models", "route.short-texts"),
    ],
)
def test_pages_that_logs_alone_leave_empty_show_something(site, page, part):
    assert part in site.get(f"/{page}").text


def test_every_page_says_that_it_is_the_sample(site):
    for page in [*(one.name for one in PAGES), "users", "nothing-there"]:
        assert "An invented shop" in site.get(f"/{page}").text, page


def test_what_calls_say_of_teams_and_experiments_changes_no_cost(site):
    """What the copywriters and the support bot cost stands in the bill of the sample, too."""
    bill = site.asking.rows("bill", by="app", tag="", **Scope().parameters)

    assert {row["name"]: row["cost_usd"] for row in bill if row["cost_usd"] is not None} == {
        "copywriters": Decimal("0.0078276"),
        "support-bot": Decimal("0.147054"),
    }


def test_nothing_of_it_is_written_into_the_users_own_settings(site):
    settings = with_sample_budgets(Settings(file="mine.toml", budget=()))

    assert (settings.file, settings.budget) == ("", BUDGETS)
    assert 'action="/budgets/' not in site.get("/budgets").text
