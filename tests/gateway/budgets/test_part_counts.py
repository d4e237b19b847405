import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.gateway.budgets import part_counts
from modicum.gateway.budgets.part_counts import AROUND_A_PART, PartCounts
from modicum.metering.tokens import count_with

ANY, AWKWARD = st.characters(exclude_categories=["Cs"]), st.sampled_from('ab {}[]",:\n\\é😀')
TEXTS = st.one_of(st.text(ANY, max_size=40), st.text(AWKWARD, max_size=40), st.text(AWKWARD, min_size=90, max_size=140))
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXTS}), max_size=6
)


@settings(max_examples=80)
@given(MESSAGES, TEXTS, st.sampled_from(["messages", "contents"]), st.booleans(), st.sampled_from([None, 1]))
def test_the_parts_hold_no_fewer_tokens_than_the_whole_and_hardly_more(messages, system, name, is_ascii, indent):
    request = {"model": "gpt-4o", "system": system, name: messages}
    body = json.dumps(request, ensure_ascii=is_ascii, indent=indent).encode()

    for encoding in ("o200k_base", "cl100k_base"):
        whole = count_with(msgspec.json.encode(request).decode(), encoding)
        counts = PartCounts()
        assert whole <= counts.tokens(body, encoding) <= whole + (4 + AROUND_A_PART) * (len(messages) + 1)
        assert counts.tokens(body, encoding) == PartCounts().tokens(body, encoding)  # kept or not


def test_only_what_is_new_of_a_conversation_is_counted(monkeypatch):
    counted = []
    monkeypatch.setattr(part_counts, "count_with", lambda text, encoding: counted.append((text, encoding)) or 1)
    counts = PartCounts()

    def turns(number, encoding="o200k_base"):
        said = [{"role": "user", "content": f"turn {one}".ljust(80)} for one in range(number)]
        return counts.tokens(json.dumps({"model": "m", "messages": said}).encode(), encoding)

    assert (turns(2), turns(3)) == (3 * (1 + AROUND_A_PART), 4 * (1 + AROUND_A_PART))
    assert [text for text, _ in counted][3:] == [f'{{"role":"user","content":"{"turn 2":80}"}}']
    turns(1, "cl100k_base")
    assert counted[4:] == [
        ('{"model":"m","messages":[]}', "cl100k_base"),
        (f'{{"role":"user","content":"{"turn 0":80}"}}', "cl100k_base"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages": "a text"}',
        b'{"messages": [], "input": ["half a pair \\ud83d"]}',
        b'{"contents": [["nested", [1, null]]]}',
        b'["no object"]',
    ],
)
def test_any_json_is_counted_as_a_whole_where_it_has_no_plain_list(body):
    assert PartCounts().tokens(body, "o200k_base") >= count_with(
        msgspec.json.encode(json.loads(body.replace(b"\\ud83d", b"\\ufffd"))).decode(), "o200k_base"
    )


@pytest.mark.parametrize(
    ("item", "system_bytes"),
    [("%d", 500_000), ('{"role":"user","content":"a text of more than 64 bytes, which is message %d"}', 0)],
)
def test_a_list_of_a_great_many_parts_is_counted_with_the_rest(item, system_bytes):
    messages = ",".join(item % number for number in range(5_000))
    body = f'{{"messages":[{messages}],"system":"{" " * system_bytes}"}}'
    counts = PartCounts()

    assert counts.tokens(body.encode(), "o200k_base") == count_with(body, "o200k_base") + AROUND_A_PART
    assert len(counts._kept) == 1


def test_no_more_parts_are_kept_than_fit(monkeypatch):
    monkeypatch.setattr(part_counts, "MOST_KEPT", 4)
    counts = PartCounts()
    for number in range(9):
        counts.tokens(b'{"messages": [{"content": "%80d"}]}' % number, "o200k_base")

    assert len(counts._kept) <= 4


def test_a_list_of_tiny_items_is_counted_as_a_whole():
    counts = PartCounts()
    counts.tokens(b'{"messages": [%b0]}' % (b"0," * 8_000), "o200k_base")

    assert len(counts._kept) == 1
