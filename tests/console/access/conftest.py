import pytest

from modicum.governance.access import passwords


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """Hashes of passwords that cost next to nothing; what the real ones cost is tested where they are made."""
    monkeypatch.setattr(passwords, "_COST", 16)
    monkeypatch.setattr(passwords, "_NONE", passwords._NONE.replace(f"{2**15}", "16"))
