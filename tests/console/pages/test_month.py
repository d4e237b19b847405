from datetime import UTC, datetime, timedelta

import pytest

from console.rig import Site
from ledger.samples import entry
from modicum.calls import Owner, UserError
from modicum.console.pages.month import read
from modicum.console.view import read_view
from modicum.ledger.opening import open_store
from modicum.settings import Settings
from modicum.settings.showing.people import PeopleSettings
from modicum.settings.showing.showback import ShowbackSettings


@pytest.fixture
def site():
    store = open_store(":memory:")
    now = datetime.now(UTC)
    days = [
        entry(f"c{n}", "2", owner=Owner(("search", "")[n % 2]), started=now - timedelta(days=n // 2)) for n in range(80)
    ]
    store.append(days)
    yield Site(store)
    store.close()


def test_this_month_has_its_statement_and_its_forecast(site):
    content = read(site.asking, read_view([], "UTC"))

    statement, forecast = content.tables
    month = f"{datetime.now(UTC):%Y-%m}"
    assert statement.verb == f"modicum statement --month {month}"
    assert {row[0].text for row in statement.rows} == {"search", "(untagged)"}
    assert forecast.title == f"Forecast of {month}"
    assert [name for name, _, is_here in content.parts["outcomes"] if is_here] == [month]
    assert "Statement of" in site.get("/month").text
    assert "total_usd" not in site.get("/month").text


def test_a_month_that_is_over_has_no_forecast_and_one_without_calls_nothing(site):
    before = f"{datetime.now(UTC).replace(day=1) - timedelta(days=1):%Y-%m}"

    (statement,) = read(site.asking, read_view([("month", before)], "UTC")).tables
    empty = read(site.asking, read_view([("month", "2001-01")], "UTC"))

    assert statement.title == f"Statement of {before}"
    assert (empty.tables, empty.tiles) == ((), ())
    with pytest.raises(UserError, match="write 2026-11"):
        read(site.asking, read_view([("month", "may")], "UTC"))


def test_without_calls_in_this_month_the_last_one_that_has_some_is_shown():
    store = open_store(":memory:")
    assert read(Site(store).asking, read_view([], "UTC")).tables == ()
    store.append([entry("c1", "2", started=datetime(2026, 3, 5, tzinfo=UTC))])
    store.append([entry("c2", "2", started=datetime(2026, 2, 5, tzinfo=UTC))])

    content = read(Site(store).asking, read_view([], "UTC"))
    assert content.tables[0].title == "Statement of 2026-03"
    store.close()


def test_rows_are_a_csv_file(site):
    text = site.get("/month/statement.csv").text

    assert text.startswith("team,code,calls,at list,by use,subscription,shared,total")


def test_a_statement_by_user_names_the_one_who_looks_and_sums_the_others():
    store, now = open_store(":memory:"), datetime.now(UTC)
    store.append([entry(f"c{one}", "2", owner=Owner("web", user=f"p{one}"), started=now) for one in range(7)])
    settings = Settings(timezone="UTC", showback=ShowbackSettings(by="user"), people=PeopleSettings(me=("p1",)))
    text = Site(store, settings=settings).get("/month").text
    store.close()

    assert ">p1<" in text
    assert "6 other persons" in text
    assert ">p2<" not in text
