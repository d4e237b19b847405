import pytest


@pytest.fixture
def folder(home, monkeypatch):
    """The home folder, entered: settings, state and all else of a test stand below it."""
    monkeypatch.chdir(home)
    return home
