import pytest

from modicum.reports.reconciliation.model_names import join_names

ALIAS, DATED, OTHER = "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20"


def join(ours, theirs):
    found = join_names([("openai", name) for name in ours], [("openai", name) for name in theirs])
    return {one.shown for one in found.values()}


@pytest.mark.parametrize(
    ("ours", "theirs", "rows"),
    [
        ([ALIAS], [DATED], {f"{ALIAS} = {DATED}"}),
        ([DATED], [ALIAS], {f"{DATED} = {ALIAS}"}),
        ([ALIAS, DATED], [DATED, OTHER], {f"{ALIAS}+{DATED} = {DATED}+{OTHER}"}),
        ([ALIAS, DATED], [ALIAS, DATED], {ALIAS, DATED}),
        ([DATED], [OTHER], {DATED, OTHER}),
        ([ALIAS], ["gpt-4o-mini-2024-07-18"], {ALIAS, "gpt-4o-mini-2024-07-18"}),
        (
            ["claude-3-5-haiku-latest"],
            ["claude-3-5-haiku-20241022"],
            {"claude-3-5-haiku-latest = claude-3-5-haiku-20241022"},
        ),
        (["claude-sonnet-4-0"], ["claude-sonnet-4-20250514"], {"claude-sonnet-4-0 = claude-sonnet-4-20250514"}),
        ([], [ALIAS, DATED], {ALIAS, DATED}),
        ([""], [""], {""}),
    ],
)
def test_an_alias_is_one_with_the_dated_names_and_two_dates_are_two(ours, theirs, rows):
    assert join(ours, theirs) == rows


def test_providers_are_told_apart():
    found = join_names([("openai", ALIAS)], [("azure", DATED)])

    assert {one.shown for one in found.values()} == {ALIAS, DATED}
