"""A number that nobody here has ever seen is named, wherever it stands in the usage of whatever provider."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.dialects import DIALECTS
from modicum.providers.usage_guard import MOST_NAMED, holds_number, unknown_numbers, word

KNOWN = {"input_tokens": "priced", "details": {"cached": "priced"}, "parts": {"tokens": "priced"}}
FIXTURES = Path(__file__).parent / "fixtures"
REPLIES = sorted(path for path in FIXTURES.rglob("*.json") if not path.name.endswith(".facts.json"))


def test_known_fields_nulls_zeros_words_and_flags_say_nothing():
    usage = {"input_tokens": 5, "details": {"cached": 3, "new": 0}, "parts": [{"tokens": 1}], "x": None, "y": "word"}

    assert unknown_numbers(usage | {"z": True, "zero": "0.0", "empty": []}, KNOWN) == []


@pytest.mark.parametrize(
    ("usage", "path"),
    [
        ({"smell_tokens": 1}, "usage.smell_tokens"),
        ({"smell_tokens": "12"}, "usage.smell_tokens"),
        ({"details": {"smell": 0.5}}, "usage.details.smell"),
        ({"details": 7}, "usage.details"),
        ({"parts": [{"tokens": 1, "smell": 2}]}, "usage.parts[].smell"),
        ({"parts": [4]}, "usage.parts[]"),
        ({"new": {"deep": [{"deeper": 1}]}}, "usage.new"),
        ({"kim@example.org": 3}, "usage.(a field without a plain name)"),
    ],
)
def test_a_number_that_nobody_knows_is_named_by_its_path(usage, path):
    assert unknown_numbers(usage, KNOWN) == [path]


def test_no_more_than_a_few_are_named():
    assert len(unknown_numbers({f"new_{place}": 1 for place in range(100)}, KNOWN)) == MOST_NAMED


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_stands_there_raises_nothing(value):
    assert isinstance(holds_number(value), bool)
    assert len(unknown_numbers({"a": value, "details": value, "parts": value}, KNOWN)) <= MOST_NAMED


def test_a_word_that_decides_on_the_price_is_named_if_it_is_not_known():
    known = frozenset({"", "standard"})

    assert word("lane", None, known) == word("lane", "Standard", known) == []
    assert word("lane", "Turbo", known) == ["lane=turbo"]
    assert word("lane", "a prompt, by mistake", known) == ["lane"]
    assert word("lane", 3, known) == ["lane"]


def _usages(document):
    """Every usage object of a reply."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in {"usage", "usageMetadata"} and isinstance(value, dict):
                yield value
            else:
                yield from _usages(value)
    elif isinstance(document, list):
        for value in document:
            yield from _usages(value)


def _objects(usage):
    """The usage object and every object within it that somebody here knows."""
    yield usage
    for value in usage.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from _objects(inner)


COUNTED = [path for path in REPLIES if DIALECTS[path.parent.name].reply(path.read_bytes()).usage is not None]


@pytest.mark.parametrize("path", COUNTED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_number_added_at_any_depth_of_a_reply_is_named(path):
    whole = json.loads(path.read_bytes())
    dialect = DIALECTS[path.parent.name]
    before = dialect.reply(path.read_bytes())
    count = sum(1 for usage in _usages(whole) for _ in _objects(usage))
    assert before.charges.caveats == ()
    for place in range(count):
        changed = copy.deepcopy(whole)
        holder = [inner for usage in _usages(changed) for inner in _objects(usage)][place]
        holder["smell_tokens"] = 7
        facts = dialect.reply(json.dumps(changed).encode())
        assert any("smell_tokens" in caveat for caveat in facts.charges.caveats), holder
        assert facts.usage == before.usage


STREAMS = sorted(path for path in FIXTURES.rglob("*") if path.suffix in {".sse", ".stream"})


def _events(body):
    """The lines of a stream: what stands in front of the JSON, the JSON (None where there is none), and the line."""
    for line in body.decode().split("\n"):
        front = next((front for front in ("data: ", "data:", ",", "[") if line.startswith(front)), "")
        try:
            yield front, json.loads(line[len(front) :].rstrip(",]\r")), line
        except ValueError:
            yield front, None, line


def _facts_of(path, events):
    lines = []
    for front, document, line in events:
        ending = line[len(line.rstrip(",]\r")) :]
        lines.append(line if document is None else front + json.dumps(document) + ending)
    tail = DIALECTS[path.parent.name].tail(usage_asked=True)
    tail.feed("\n".join(lines).encode())
    tail.end()
    return tail.facts()


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_number_added_at_any_depth_of_a_stream_is_named(path):
    """Chat completions may repeat the whole usage in every chunk: there the last one is what stands."""
    events = list(_events(path.read_bytes()))
    before = _facts_of(path, events)
    counted = [number for number, (_, document, _) in enumerate(events) if list(_usages(document))]
    assert before.charges.caveats == ()
    for number in counted[-1:] if path.parent.name == "openai-chat" else counted:
        places = sum(1 for usage in _usages(events[number][1]) for _ in _objects(usage))
        for place in range(places):
            changed = copy.deepcopy(events)
            holder = [inner for usage in _usages(changed[number][1]) for inner in _objects(usage)][place]
            holder["smell_tokens"] = 7
            facts = _facts_of(path, changed)
            assert facts.usage == before.usage
            assert before.usage is None or any("smell_tokens" in caveat for caveat in facts.charges.caveats), holder
