"""The commands of the first-week pages and of other pages for readers, as they are printed there."""

import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "first-week").glob("*.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page):
    return [line for block in BLOCK.findall(page.read_text(encoding="utf-8")) for line in block.splitlines() if line]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_first_week_does_what_it_is_printed_for(modicum, page):
    Path("src").symlink_to(ROOT / "src")  # commands name the sample as it lies in the repository

    for line in commands(page):
        program, *words = shlex.split(line)
        ran = modicum(*words)
        assert program == "modicum"
        assert ran.status == 0, f"{page.name}: {line}: {ran.err}"
        assert ran.out, line


def test_there_is_a_first_week_for_each_reader():
    assert [page.stem for page in PAGES] == ["agents", "developer", "finance", "platform", "researcher"]
    assert all(commands(page) for page in PAGES)


def test_the_notebook_runs_from_its_first_cell_to_its_last():
    notebook = json.loads((ROOT / "docs" / "notebooks" / "what-did-it-cost.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}

    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102 - our own notebook

    assert names["bill"].total.calls == 487
    assert names["plan"].fits
