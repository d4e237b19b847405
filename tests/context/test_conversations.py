from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Call, Owner, SegmentKind, Usage
from modicum.context.conversations import INFERRED_TAG, ContextPart, Conversations

SYSTEM, USER, ASSISTANT = SegmentKind.SYSTEM, SegmentKind.USER, SegmentKind.ASSISTANT


@pytest.fixture
def conversations():
    return Conversations()


def context(*texts):
    """A system prompt, then user and assistant in turn; a digest of a text is the text."""
    kinds = [SYSTEM, *[USER, ASSISTANT] * len(texts)]
    return [
        ContextPart(kind, "", text.encode(), b"", is_error=False, tokens=len(text))
        for kind, text in zip(kinds, texts, strict=False)
    ]


def place(conversations, *texts, scope="key", named="", number="n"):
    call = Call(
        call_id=f"gateway:{number}",
        source="gateway",
        provider="openai",
        model="gpt-5",
        started=datetime(2026, 1, 1, tzinfo=UTC),
        usage=Usage(),
        conversation=named,
        owner=Owner(key=scope),
    )
    return conversations.placed(call, context(*texts), number)


def test_a_grown_context_keeps_what_was_there(conversations):
    first = place(conversations, "be brief", "one?", number="1")
    second = place(conversations, "be brief", "one?", "1", "two?", number="2")

    assert (first.conversation, second.conversation, second.task) == ("1", "1", "1")
    assert (first.turn, second.turn) == (0, 1)
    assert (second.anatomy.kept_segments, second.anatomy.kept_tokens) == (2, 12)
    assert [segment.tokens for segment in second.anatomy.added] == [1, 4]


def test_a_shared_system_prompt_makes_no_conversation(conversations):
    place(conversations, "be brief", "one?", number="1")

    assert place(conversations, "be brief", "other", number="2").conversation == "2"


def test_another_key_never_continues_a_conversation(conversations):
    place(conversations, "be brief", "one?", number="1", scope="ann")

    assert place(conversations, "be brief", "one?", "1", number="2", scope="bob").conversation == "2"


@pytest.mark.parametrize(
    ("texts", "cause"), [(("be long", "one?"), "system"), (("be brief", "else?"), "rewind"), (("be brief",), "rewind")]
)
def test_a_named_conversation_says_why_less_was_kept(conversations, texts, cause):
    place(conversations, "be brief", "one?", "1", named="s")

    placed = place(conversations, *texts, named="s")

    assert (placed.conversation, placed.anatomy.break_cause) == ("s", cause)


def test_what_was_dropped_leads_nobody_back(conversations):
    place(conversations, "be brief", "one?", "1", named="s")
    place(conversations, "be brief", "else?", named="s")

    assert place(conversations, "be brief", "one?", "1", "two?", number="2").conversation == "2"


def test_memory_is_bounded(conversations, monkeypatch):
    monkeypatch.setattr("modicum.context.conversations.MOST_CONVERSATIONS", 10)
    for number in range(50):
        place(conversations, "be brief", f"question {number}", number=f"{number}")

    assert len(conversations._latest) == 10
    assert len(conversations._by_chain) <= 20


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), max_size=8))
def test_kept_and_added_always_make_up_the_context(contexts):
    conversations = Conversations()
    before = []
    for texts in contexts:
        anatomy = place(conversations, *texts, named="s").anatomy
        digests = [text.encode() for text in texts]
        assert before[: anatomy.kept_segments] == digests[: anatomy.kept_segments]
        assert [segment.digest for segment in anatomy.added] == digests[anatomy.kept_segments :]
        before = digests
    assert len(conversations._by_chain) <= len(before)


def test_a_conversation_of_which_a_part_was_forgotten_is_not_continued(conversations):
    row = {"conversation": "c", "key_name": "key", "turn": 3, "kind": "user", "tool": "", "tokens": 1}
    row |= {"detail": "", "is_error": False, "basis": "estimated"}
    whole = [row | {"position": at, "digest": text.encode().hex()} for at, text in enumerate(["a", "b"])]
    torn = [whole[1] | {"conversation": "torn"}]

    conversations.remember([*whole, *torn])

    assert list(conversations._latest) == ["c"]


def test_what_was_seen_in_a_text_is_booked_with_the_call_that_sent_it_first(conversations):
    def placed(number, *seen):
        parts = [
            ContextPart(USER, "", b"%d" % place, b"", is_error=False, tokens=1, seen=one)
            for place, one in enumerate(seen)
        ]
        call = Call(
            call_id=number, source="gateway", provider="openai", model="m", started=datetime(2026, 1, 1, tzinfo=UTC),
            usage=Usage(), tags={"a": "b"}, task="t",
        )  # fmt: skip
        return conversations.placed(call, parts, number).tags

    assert placed("1", {"email": 2}, {}) == {"a": "b", "seen": "all", "seen.email": "2"}
    assert placed("2", {"email": 2}, {}, {"jwt": 1}) == {"a": "b", "seen": "all", "seen.jwt": "1"}
    assert placed("3", {"email": 2}, {}, {"jwt": 1}, None) == {"a": "b"}  # nobody looked at what is new


@pytest.mark.parametrize(("task", "tags"), [("", {INFERRED_TAG: "context"}), ("PR-12", {})])
def test_a_task_that_nobody_names_is_inferred_and_says_so(conversations, task, tags):
    parts = [ContextPart(USER, "", b"%d" % place, b"", is_error=False, tokens=1) for place in range(3)]
    call = Call(
        call_id="1", source="gateway", provider="openai", model="m", started=datetime(2026, 1, 1, tzinfo=UTC),
        usage=Usage(), task=task,
    )  # fmt: skip
    first = conversations.placed(call, parts[:2], "1")
    second = conversations.placed(call, parts, "2")
    assert second.task == first.task
    assert first.tags == second.tags == tags


def test_contexts_of_a_former_version_are_read_and_were_not_looked_at():
    former = msgspec.msgpack.encode([["user", "", b"d", b"", False, 3]])

    (part,) = msgspec.msgpack.decode(former, type=list[ContextPart])

    assert (part.tokens, part.seen) == (3, None)
