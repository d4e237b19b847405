import pytest

from modicum.calls import BUCKETS
from modicum.reports.focus.meters import ChargedMeter, meter_of, seller_of


@pytest.mark.parametrize(
    ("bucket", "name"),
    [
        ("input_uncached", "Input Tokens"),
        ("cache_read", "Cache Read Input Tokens"),
        ("cache_write_5m", "Cache Write 5m Input Tokens"),
        ("cache_write_12h", "Cache Write 12h Input Tokens"),
        ("output_reasoning", "Reasoning Output Tokens"),
        ("cache_read_audio", "Audio Cache Read Input Tokens"),
    ],
)
def test_a_bucket_is_called_as_on_an_invoice(bucket, name):
    assert meter_of(bucket) == ChargedMeter(name, "Tokens")


def test_every_meter_has_a_name_of_its_own():
    assert len({meter_of(bucket).name for bucket in BUCKETS}) == len(BUCKETS)
    assert meter_of("requests").unit == "Requests"
    assert meter_of("calls") == ChargedMeter("Calls", "Calls")


def test_a_server_of_ones_own_keeps_its_name_and_nobody_is_invented():
    assert [seller_of(one) for one in ("anthropic", "http://10.0.0.1", "")] == [
        "Anthropic",
        "http://10.0.0.1",
        "unknown provider",
    ]
