from modicum.calls.change import EarlierEdits
from modicum.providers.repeated import edited_beginnings
from modicum.providers.repeated.edited_beginnings import (
    EditedBeginning,
    EditedBeginnings,
    WrittenMessage,
    WrittenMessages,
)
from modicum.providers.seen_requests import SeenMessage

RULES = ("content.line_numbers",)
EDITS = EarlierEdits((10, 30), (5, 9), ((b"a", b"b"), (b"c", b"d")))


def beginning(messages, *, follows=None, key=RULES):
    written = {place: WrittenMessage(b"{}") for place in range(len(messages))}
    return EditedBeginning(
        key, messages[-1].number, len(messages), 9, 100, {RULES[0]: EDITS}, written, follows and follows.last
    )


def longest(known, some, key):
    return known.longest([message.number for message in reversed(some)], key)


def messages(count):
    return [SeenMessage(place, place + 1) for place in range(count)]


def test_the_longest_beginning_under_the_same_rules_is_found():
    known, all_messages = EditedBeginnings(), messages(5)
    short, long, other = beginning(all_messages[:2]), beginning(all_messages[:3]), beginning(all_messages[:4], key=())
    for one in (short, long, other):
        known.remember(one)

    assert longest(known, all_messages, RULES) is long
    assert longest(known, all_messages[:2], RULES) is short
    assert longest(known, all_messages, ()) is other
    assert longest(known, messages(5), RULES) is None
    assert longest(known, all_messages, ("others",)) is None


def test_of_a_conversation_the_newest_two_are_known():
    known, all_messages = EditedBeginnings(), messages(6)
    before = None
    for count in range(1, 7):
        before = beginning(all_messages[:count], follows=before)
        known.remember(before)

    assert len(known) == 2
    assert longest(known, all_messages[:5], RULES).messages == 5
    assert longest(known, all_messages[:4], RULES) is None


def test_what_was_not_asked_for_longest_is_forgotten_first():
    known = EditedBeginnings(most_edits=10)
    first, second, third = messages(1), messages(1), messages(1)  # of 4 each: itself, a message, two edits
    known.remember(beginning(first))
    known.remember(beginning(second))
    assert longest(known, first, RULES)
    known.remember(beginning(third))

    assert [longest(known, one, RULES) is not None for one in (first, second, third)] == [True, False, True]
    known.remember(beginning(messages(50)))
    assert len(known) == 1


def test_what_is_written_is_remembered_within_a_bound(monkeypatch):
    monkeypatch.setattr(edited_beginnings, "MOST_WRITTEN_BYTES", 100)
    written = WrittenMessages()
    every = [written.remember(number, b"x" * 30) for number in range(20)]

    assert [number for number in range(20) if written.find(number)] == [17, 18, 19]
    assert [number for number in range(20) if every[number].body] == [17, 18, 19]


def test_a_message_that_is_forgotten_leaves_no_beginning():
    known = beginning(messages(2))
    assert known.bodies() == {0: b"{}", 1: b"{}"}

    known.written[1].body = b""

    assert known.bodies() is None
