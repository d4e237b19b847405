import pytest

import modicum as library
from modicum.calls import UserError

RUNS = "task,model,resolved,usd\n" + "".join(
    f"t{number},{model},{int(number % divisor != 0)},{usd}\n"
    for number in range(20)
    for model, divisor, usd in (("big", 10, 0.9), ("small", 4, 0.05))
)
COLUMNS = {"outcome": "resolved", "cost": "usd"}


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(RUNS)
    return path


def test_arms_of_a_table_are_compared_as_the_verb_does(modicum, runs):
    printed = modicum(
        "compare", runs, "--by", "model", "--column", "outcome=resolved", "--column", "cost=usd", "--json"
    ).json

    found = library.compare(runs, by="model", columns=COLUMNS)

    assert [row["name"] for row in found.to_dicts()] == [arm["name"] for arm in printed["arms"]] == ["big", "small"]
    assert found.pairs[0].sentences == printed["pairs"][0]["sentences"]


def test_a_folder_of_results_is_read_like_its_files(runs):
    assert library.compare(runs.parent, by="model", columns=COLUMNS) == library.compare(
        runs, by="model", columns=COLUMNS
    )


def test_a_role_that_is_none_is_named(runs):
    with pytest.raises(UserError, match="flavour"):
        library.compare(runs, columns={"flavour": "model"})
