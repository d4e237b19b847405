import pytest

import modicum as library
from modicum.calls import UserError


def test_a_plan_has_the_bytes_of_the_verb(modicum):
    words = ("granite-4.0-h-small", "--context", "128k", "--batch", "8", "--gpu", "h200")
    printed = modicum("plan", "memory", *words, "--json").json

    plan = library.plan_memory("granite-4.0-h-small", context="128k", batch=8, gpu="h200")

    (row,) = plan.to_dicts()
    assert (row["total_bytes"], row["fits"]) == (printed["total_bytes"], printed["fits"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"memory_share": 1.5}, "memory_share"), ({"context": "much"}, "much"), ({"gpu": "abacus"}, "abacus")],
)
def test_a_plan_that_cannot_be_made_says_why(arguments, words):
    with pytest.raises(UserError, match=words):
        library.plan_memory("granite-4.0-h-small", **arguments)
