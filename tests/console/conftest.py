import pytest

from console.rig import Site
from ledger.samples import START, entry
from modicum.calls import Basis, Cost, Entry, Owner
from modicum.ledger.opening import open_store

HOSTILE = "<script>alert(1)</script>\"'=1+1"


@pytest.fixture(scope="session")
def few_calls():
    """A ledger with a handful of calls: exact, unpriced, and of an owner with a hostile name."""
    from datetime import timedelta

    store = open_store(":memory:")
    unknown = entry("c4", model="mystery", task="T2")
    store.append(
        [
            entry("c1", "1.25", owner=Owner(team="search", user="ada"), task="T1"),
            entry("c2", "2.5", started=START + timedelta(days=2), owner=Owner(team="search"), task="T1"),
            entry("c3", "0.5", model="gpt-5", owner=Owner(team=HOSTILE), task="T2", tags={"f": "chat"}),
            Entry(unknown.call, Cost.unknown()),
            Entry(entry("c5", output_basis=Basis.LOWER_BOUND).call, entry("c5").cost),
        ]
    )
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _sites_are_closed():
    yield
    while Site.made:
        Site.made.pop().console.close()


@pytest.fixture
def site(few_calls):
    return Site(few_calls)


@pytest.fixture
def empty_site():
    store = open_store(":memory:")
    yield Site(store)
    store.close()
