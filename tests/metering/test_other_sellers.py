from datetime import UTC, datetime

import pytest

from modicum.metering.other_sellers import FOR_ONE_PROGRAM, find_other_sellers
from modicum.metering.prices import PriceBook

AT = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_same_model_at_others_under_their_own_names():
    found = find_other_sellers(PriceBook(), "anthropic", "claude-sonnet-4-5", AT)

    assert ("openrouter", "anthropic/claude-sonnet-4.5") in [(one.provider, one.model) for one in found]
    assert not {"anthropic", *FOR_ONE_PROGRAM} & {one.provider for one in found}


@pytest.mark.parametrize("model", ["nobodys-model", "claude-sonnet-4-5-turbo-of-ours"])
def test_a_name_that_the_list_does_not_have_has_no_other_seller(model):
    assert find_other_sellers(PriceBook(), "anthropic", model, AT) == []
