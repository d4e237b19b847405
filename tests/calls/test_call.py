import msgspec
import pytest

from ledger.samples import FULL
from modicum.calls import Charges, Tier
from modicum.calls.call import decode_call


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("flex", Tier.FLEX),
        ("ON_DEMAND_PRIORITY", Tier.PRIORITY),
        ("default", Tier.STANDARD),
        ("auto", Tier.STANDARD),
        ("", Tier.STANDARD),
    ],
)
def test_providers_have_several_names_for_a_lane(name, tier):
    assert Tier.from_name(name) is tier


def test_a_call_comes_back_as_it_was_packed():
    assert decode_call(msgspec.msgpack.encode(FULL.call)) == FULL.call


@pytest.mark.parametrize(("searches", "charges"), [(2, Charges({"web_search": 2})), (0, Charges())])
def test_a_record_of_a_version_before_keeps_its_searches(searches, charges):
    packed = msgspec.to_builtins(msgspec.structs.replace(FULL.call, charges=Charges()), builtin_types=(bytes,))
    del packed["charges"]

    call = decode_call(msgspec.msgpack.encode(packed | {"web_searches": searches}))

    assert call.charges == charges
    assert (call.call_id, call.usage) == (FULL.call.call_id, FULL.call.usage)
