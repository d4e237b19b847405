import shutil
from importlib.resources import files
from pathlib import Path

import pytest


@pytest.fixture
def logs(tmp_path):
    """Two sessions of an agent: of the sample, in a folder of their own."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("0302-label.jsonl", "0302-voucher.jsonl"):
        shutil.copy(Path(str(files("modicum"))) / "sample" / "logs" / name, folder)
    return folder
