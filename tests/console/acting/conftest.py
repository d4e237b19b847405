import pytest

from console.rig import Site, add_users
from modicum.ledger.opening import open_store
from modicum.settings import read_settings

SETTINGS = """# mine
[[budget]]
name = "all"
per = "month"
limit_usd = 500

[[budget]]
name = "search"
per = "month"
limit_usd = 50 # agreed
team = "search"
"""


@pytest.fixture
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    path = tmp_path / "modicum.toml"
    path.write_text(SETTINGS)
    monkeypatch.setenv("MODICUM_CONFIG", str(path))
    return path


@pytest.fixture
def site(store, tmp_path, settings_file):
    """A console over settings with two budgets, with an owner, editors and a viewer."""
    add_users(tmp_path, ann="owner", eve="editor", ted="editor:search", vic="viewer")
    made = Site(store, state=tmp_path, read_settings=read_settings)
    yield made
    made.console.close()


@pytest.fixture
def asking_as(site):
    """Asks on behalf of a user."""
    from modicum.console.access.viewer import Viewer

    def ask(name):
        user = site.console.gate.access.current().users.find(name)
        return site.asking.for_viewer(Viewer(name=name, roles=user.roles))

    return ask
