from decimal import Decimal
from types import SimpleNamespace

import pytest


@pytest.fixture
def bill_line():
    return lambda usd, basis: SimpleNamespace(cost_usd=usd and Decimal(usd), basis=basis)
