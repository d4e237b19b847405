import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import SegmentKind
from modicum.gateway.conversations import Conversations
from modicum.metering.digests import Digester
from modicum.providers.blocks import Block

SYSTEM, USER, ASSISTANT = SegmentKind.SYSTEM, SegmentKind.USER, SegmentKind.ASSISTANT


@pytest.fixture
def conversations():
    return Conversations(Digester(b"k" * 32))


def context(*texts):
    """A system prompt, then user and assistant in turn."""
    kinds = [SYSTEM, *[USER, ASSISTANT] * len(texts)]
    return [Block(kind, text) for kind, text in zip(kinds, texts, strict=False)]


def place(conversations, *texts, scope="key", named="", number="n"):
    placed = conversations.place(scope, named, context(*texts), number)
    for part, text in placed.uncounted:
        conversations.counted(part, len(text))
    return placed


def test_a_grown_context_keeps_what_was_there(conversations):
    first = place(conversations, "be brief", "one?", number="1")
    second = place(conversations, "be brief", "one?", "1", "two?", number="2")

    assert first.conversation == second.conversation == "1"
    assert (second.anatomy().kept_segments, second.anatomy().kept_tokens) == (2, 12)
    assert [segment.tokens for segment in second.anatomy().added] == [1, 4]


def test_a_shared_system_prompt_makes_no_conversation(conversations):
    place(conversations, "be brief", "one?", number="1")

    assert place(conversations, "be brief", "other", number="2").conversation == "2"


def test_another_key_never_continues_a_conversation(conversations):
    place(conversations, "be brief", "one?", number="1", scope="ann")

    assert place(conversations, "be brief", "one?", "1", number="2", scope="bob").conversation == "2"


@pytest.mark.parametrize(
    ("texts", "cause"), [(("be long", "one?"), "system"), (("be brief", "else?"), "rewind"), (("be brief",), "")]
)
def test_a_named_conversation_says_why_less_was_kept(conversations, texts, cause):
    place(conversations, "be brief", "one?", "1", named="s")

    placed = place(conversations, *texts, named="s")

    assert placed.conversation == "s"
    assert placed.break_cause == cause or texts == ("be brief",)


def test_a_text_that_was_counted_once_is_not_counted_again(conversations):
    place(conversations, "be brief", "one?", number="1")

    again = conversations.place("key", "other", context("be brief", "one?"), "2")

    assert again.uncounted == []
    assert again.anatomy().added[0].tokens == len("be brief")


def test_memory_is_bounded(conversations, monkeypatch):
    monkeypatch.setattr("modicum.gateway.conversations.MOST_CONVERSATIONS", 10)
    for number in range(50):
        place(conversations, "be brief", f"question {number}", number=f"{number}")

    assert len(conversations._latest) == 10
    assert len(conversations._by_chain) <= 20


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), max_size=8))
def test_kept_and_added_always_make_up_the_context(contexts):
    conversations = Conversations(Digester(b"k" * 32))
    before = []
    for texts in contexts:
        placed = place(conversations, *texts, named="s")
        anatomy = placed.anatomy()
        digests = [part.digest for part in placed.parts]
        assert anatomy.kept_segments + len(anatomy.added) == len(texts)
        assert digests[: anatomy.kept_segments] == before[: anatomy.kept_segments]
        before = digests


def test_no_text_stays_in_memory_once_it_is_counted(conversations):
    placed = place(conversations, "be brief", "a secret")

    assert not any("secret" in str(getattr(part, name)) for part in placed.parts for name in part.__slots__)
