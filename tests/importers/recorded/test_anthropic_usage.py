import json

import pytest

from modicum.calls import Basis, Usage
from modicum.importers.format import Reading
from modicum.importers.recorded.anthropic_usage import read

EXACT, UNKNOWN = Basis.EXACT, Basis.UNKNOWN


def calls(folder, result):
    bucket = {"starting_at": "2026-02-01T00:00:00Z", "ending_at": "2026-02-02T00:00:00Z", "results": [result]}
    path = folder / "report.json"
    path.write_text(json.dumps({"data": [bucket]}))
    return list(read(path, Reading()))


@pytest.mark.parametrize(
    ("uncached", "output", "bases", "usage"),
    [
        (None, 90, (UNKNOWN, UNKNOWN), Usage()),
        (None, None, (UNKNOWN, UNKNOWN), Usage()),
        (100, None, (EXACT, UNKNOWN), Usage(input_uncached=100)),
        (0, None, (EXACT, UNKNOWN), Usage()),
        (100, 0, (EXACT, EXACT), Usage(input_uncached=100)),
    ],
)
def test_a_count_that_is_null_is_unknown(tmp_path, uncached, output, bases, usage):
    (call,) = calls(tmp_path, {"uncached_input_tokens": uncached, "output_tokens": output})

    assert ((call.usage_basis, call.output_basis), call.usage) == (bases, usage)


@pytest.mark.parametrize(
    "result", [{"uncached_input_tokens": 0, "output_tokens": 0}, {"amount": "12.5", "currency": "USD"}, 7]
)
def test_what_sums_up_nothing_is_no_call(tmp_path, result):
    assert calls(tmp_path, result) == []
