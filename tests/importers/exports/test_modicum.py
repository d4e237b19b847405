import json
import re
from pathlib import Path

import pytest

from modicum.calls import BUCKETS, Basis, CallStatus, SegmentKind, Tier, Usage
from modicum.importers.exports import modicum

PAGE = (Path(__file__).parents[3] / "docs/formats/modicum.md").read_text()
LINE = {"model": "gpt-4o", "started": "2026-03-02T14:00:00Z"}


def test_the_example_of_the_page_is_read():
    example = json.loads(re.search(r"```json\n(.*?)\n```", PAGE, re.DOTALL).group(1))

    found = modicum.recorded(example)

    assert found.call.usage == Usage(100, 900, output_visible=40, output_reasoning=60)
    assert (found.call.task, found.call.tags, len(found.messages)) == ("eval-7", {"trial": "0"}, 2)


def test_the_page_names_every_field_and_word():
    words = [*modicum.FIELDS, *modicum.OWNER_FIELDS, *modicum.SEGMENT_FIELDS, *BUCKETS]
    words += [*Basis, *CallStatus, *Tier, *SegmentKind]

    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_two_fields_are_enough_and_what_is_absent_is_unknown_or_the_usual():
    call = modicum.recorded(LINE).call

    assert (call.usage_basis, call.output_basis, call.reported_cost_usd) == (Basis.UNKNOWN, Basis.UNKNOWN, None)
    assert (call.source, call.status, call.tier, call.calls_count) == ("modicum", CallStatus.OK, Tier.STANDARD, 1)


def test_null_is_as_good_as_absent():
    everything = dict.fromkeys(modicum.FIELDS) | LINE

    assert modicum.recorded(everything) == modicum.recorded(LINE)


def test_a_line_without_an_id_is_the_same_call_again_and_another_line_is_not():
    first, again, other = (modicum.recorded({**LINE, "task": task}).call.call_id for task in ("a", "a", "b"))

    assert first == again != other


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"usage": {"input_tokens": 5}}, "usage has no field 'input_tokens'"),
        ({"usage": {"cache_read": -1}}, "cache_read is negative"),
        ({"usage": 7}, "usage is no object"),
        ({"costs": 7}, "the line has no field 'costs'"),
        ({"status": "fine"}, "status has another value; accepted are ok, error"),
        ({"owner": {"boss": "x"}}, "owner has no field 'boss'"),
        ({"tags": {"n": 1}}, "tags is no object of texts"),
        ({"segments": [{"tokens": 1}]}, "a segment has no kind"),
        ({"segments": [{"kind": "user", "digest": "xyz"}]}, "digest of a segment is no hexadecimal"),
        ({"segments": {"kind": "user"}}, "segments is no list"),
        ({"kept_segments": 1.5}, "kept_segments is fractional"),
        ({"kept_segments": 2}, "kept_segments without kept_tokens"),
        ({"started": "noon"}, "time"),
        ({"model": ""}, "model is missing"),
        ({"reported_cost_usd": "dear"}, "no amount of money"),
    ],
)
def test_a_wrong_field_is_named(fields, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        modicum.recorded({**LINE, **fields})
