"""Requests that repeat what came before: the same fields and messages as when they are read as a whole."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Owner
from modicum.providers import seen_requests
from modicum.providers.repeated.edited_beginnings import WrittenMessage
from modicum.providers.seen_requests import SeenRequests

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant"]), "content": TEXTS | st.lists(TEXTS, max_size=2)}
    ),
    min_size=1,
    max_size=12,
)
FIELDS = st.dictionaries(
    st.sampled_from(["model", "a", 'q"', "tools", "é"]), TEXTS | st.integers() | st.none(), max_size=3
)


@pytest.fixture
def chunks(monkeypatch):
    monkeypatch.setattr(seen_requests, "CHUNK_BYTES", 64)


def written(before, messages, after, indent=None):
    return json.dumps({**before, "messages": messages, **after}, indent=indent).encode()


def read(seen, body):
    split = seen.split(body, "openai-chat", "messages")
    assert split is not None
    rest = json.loads(split.rest)
    fields = {name: json.loads(bytes(raw)) for name, raw in split.fields.items() if name != "messages"}
    assert {name: value for name, value in rest.items() if name != "messages"} == fields
    assert {**json.loads(split.head), "messages": None} == {**fields, "messages": None}
    return {**fields, "messages": [json.loads(bytes(raw)) for raw in split]}, split


@settings(max_examples=150, deadline=None)
@given(FIELDS, MESSAGES, MESSAGES, FIELDS, st.sampled_from([None, 1]))
def test_whatever_came_before_a_request_is_read_as_it_is_written(before, first, more, after, indent):
    seen = SeenRequests()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen_requests, "CHUNK_BYTES", 64)
        for messages in (first, [*first, *more], first[:-1] + more, [*first, *more]):
            body = written(before, messages, after, indent)
            assert read(seen, body)[0] == json.loads(body)


@pytest.mark.usefixtures("chunks")
def test_of_a_request_that_goes_on_only_the_new_end_is_read():
    seen = SeenRequests()
    messages = [{"role": "user", "content": f"message {number} " * 5} for number in range(50)]
    _, first = read(seen, written({"model": "m"}, messages, {"stream": True}))
    _, second = read(seen, written({"model": "m"}, [*messages, {"role": "user", "content": "more"}], {"stream": True}))

    assert len(second.rest) < 300 < len(first.rest)
    shared = [one is other for one, other in zip(first.messages, second.messages, strict=False)]
    assert shared.count(True) >= 48
    assert len(second) == 51
    assert json.loads(bytes(second[-1])) == {"role": "user", "content": "more"}


@pytest.mark.usefixtures("chunks")
def test_messages_are_known_to_the_end_of_the_newest_request():
    seen = SeenRequests()
    messages = [{"role": "user", "content": f"message {number}"} for number in range(7)]
    tools = {"tools": [{"name": f"tool {number}"} for number in range(20)]}
    _, first = read(seen, written({"model": "m"}, messages, tools))
    more = [*messages, {"role": "user", "content": "more"}]
    body, second = read(seen, written({"model": "m"}, more, tools))

    assert all(one is other for one, other in zip(first.messages, second.messages, strict=False))
    assert body["messages"] == more
    _, branch = read(seen, written({"model": "m"}, [*messages[:-1], {"role": "user", "content": "message 6?"}], tools))
    assert branch.messages[0] is first.messages[0]
    assert branch.messages[6] is not first.messages[6]


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize(("last", "longer"), [(12, 123), (True, None), (1, 1.5)])
def test_a_number_that_goes_on_in_the_next_request_is_another_one(last, longer):
    seen = SeenRequests()
    for size in range(64):
        messages = [{"role": "user", "content": "x" * (40 + size)}]
        for end in (last, longer):
            body = written({}, [*messages, end], {})
            assert [json.loads(bytes(raw)) for raw in seen.split(body, "openai-chat", "messages")] == [*messages, end]


@pytest.mark.usefixtures("chunks")
def test_what_is_no_plain_list_of_messages_is_left_to_others():
    seen = SeenRequests()
    for body in (b"{}", b'{"messages":"text"}', b'{"messages":[]}', b'{"messages":[{}],"messages":[{"a":1}]}'):
        assert seen.split(body, "openai-chat", "messages") is None
    for broken in (b"", b'{"messages":[{"role":"user"}', b"[1]", b"{" * 100_000):
        with pytest.raises((ValueError, RecursionError)):
            seen.split(broken, "openai-chat", "messages")


@pytest.mark.usefixtures("chunks")
def test_a_field_that_comes_twice_behind_what_is_known_is_noticed():
    seen = SeenRequests()
    messages = [{"role": "user", "content": "long enough to be remembered " * 5}, {"role": "user", "content": "b"}]
    body = written({"model": "m"}, messages, {})
    assert seen.split(body, "openai-chat", "messages") is not None

    twice = body[:-1] + b',"messages":[{"role":"user","content":"other"}]}'

    assert seen.split(twice, "openai-chat", "messages") is None


@pytest.mark.usefixtures("chunks")
def test_nothing_of_another_dialect_is_known_and_memory_is_bounded():
    seen = SeenRequests(most_chunks=20)
    messages = [{"role": "user", "content": f"message {number} " * 5} for number in range(30)]
    body = written({"model": "m"}, messages, {})
    first = seen.split(body, "openai-chat", "messages")
    other = seen.split(body, "anthropic-messages", "messages")

    assert not {id(one) for one in first.messages} & {id(one) for one in other.messages}
    assert len(seen) <= 20


@pytest.mark.usefixtures("chunks")
def test_nothing_of_another_owner_is_known():
    everybody = SeenRequests()
    ann, ben = everybody.of(Owner(key="ann")), everybody.of(Owner(key="ben"))
    body = written({"model": "m"}, [{"role": "user", "content": f"message {number} " * 5} for number in range(9)], {})
    first = ann.split(body, "openai-chat", "messages")
    ann.remember_head("head", ("tools",))

    of_ben, again = (seen.split(body, "openai-chat", "messages") for seen in (ben, everybody.of(Owner(key="ann"))))

    assert list(of_ben) == list(first)
    assert of_ben.rest == body
    assert not {id(one) for one in of_ben.messages} & {id(one) for one in first.messages}
    assert {id(one) for one in again.messages} & {id(one) for one in first.messages}
    assert again.rest != body
    assert ben.head("head") is None
    assert ann.head("head") == ("tools",)


def test_owners_are_not_mixed_up_by_names_that_look_alike():
    everybody, body = SeenRequests(), json.dumps({"messages": [{"role": "user", "content": "x" * 9000}]}).encode()
    everybody.of(Owner(team="a", app="b")).split(body, "openai-chat", "messages")
    before = len(everybody)
    for other in (Owner(team="a\x00b"), Owner(team="b", app="a"), Owner(app="ab"), Owner(user='a","b')):
        everybody.of(other).split(body, "openai-chat", "messages")
        assert len(everybody) == before + 1
        before += 1


@pytest.mark.usefixtures("chunks")
def test_requests_of_the_same_identity_are_the_same_bytes():
    seen, messages = SeenRequests(), [{"role": "user", "content": f"message {number} " * 5} for number in range(9)]
    splits = [
        seen.split(written({"model": "m"}, some, {}), "openai-chat", "messages")
        for some in (messages, messages, [*messages, messages[0]], [*messages[:4], messages[0], *messages[5:]])
    ]
    new, other, third = WrittenMessage(b'{"a":1}'), WrittenMessage(b'{"a":2}'), WrittenMessage(b'{"a":1}')
    every = [
        *splits,
        *(split.edited({2: one.body}, {2: one}) for split in splits for one in (new, other, third)),
        *(split.edited({2: other.body, 4: new.body}, {2: other, 4: new}) for split in splits),
    ]

    known = {}
    for split in every:
        for count in range(1, len(split) + 1):
            raws = [bytes(raw) for raw in split[:count]]
            assert known.setdefault(split.identity(count), raws) == raws
    assert splits[0].identity(9) == splits[1].identity(9) == splits[2].identity(9)
    assert splits[0].edited({2: new.body}, {2: new}).identity(2) != splits[0].identity(2)
    assert splits[0].edited({2: new.body}, {2: new}).identity(9) == splits[2].edited({2: new.body}, {2: new}).identity(
        9
    )
