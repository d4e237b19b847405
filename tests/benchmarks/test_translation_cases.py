"""The ninety cases of the benchmark beside LiteLLM, without it: what of each must arrive, arrives."""

import sys
from pathlib import Path

import msgspec
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.translations import TRANSLATIONS

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from translation_cases import CASES, EVERY_CASE
from translation_cases.case import MESSAGES, missing_pieces

NINETY = 90


def translated(case):
    body = msgspec.json.encode({"model": "asked", **case.request})
    return TRANSLATIONS[case.door, case.upstream].request(body, case.upstream_model)


def test_there_are_ninety():
    assert len(CASES) == NINETY
    assert len({(case.name, case.door, case.upstream) for case in EVERY_CASE}) == len(EVERY_CASE) == NINETY + 24


@pytest.mark.parametrize(
    "case", EVERY_CASE, ids=lambda case: f"{case.door} {case.upstream} {case.name}".replace(" ", "-")
)
def test_a_case(case):
    if case.rightly_refused:
        with pytest.raises(DialectError, match="cannot take this request"):
            translated(case)
        return
    answer = translated(case)
    assert missing_pieces(case, msgspec.json.decode(answer.body)) == []
    assert all(name.isascii() and name.isprintable() for name in answer.left_out)


def test_a_case_that_does_not_arrive_is_seen():
    case = next(case for case in CASES if case.name == "top_k" and case.upstream == MESSAGES)
    assert missing_pieces(case, {"messages": []}) == ["{'top_k': 40}"]
    assert missing_pieces(case._replace(lacks=("top_k",)), {"top_k": 40}) == ["top_k should not be there"]
