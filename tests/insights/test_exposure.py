import msgspec

from insights.planted import EVER, Conversation, said, user
from modicum.calls import Usage
from modicum.insights.exposure import measure_exposure


def test_tokens_and_counts_by_whom_they_were_sent_to(store):
    talk = Conversation("a").call(user("mail", 1000), tags={"seen.email": "2", "team": "x"})
    talk.call(said("b", 20)).call(said("c", 20), tags={"seen.email": "1", "seen.aws_key": "1"})
    other = Conversation("b", provider="openai", anatomy=None).call(user("hi", 10))
    store.append([*talk.entries, *other.entries])

    first, second = measure_exposure(store, "provider", *EVER)

    assert (first.name, first.calls, first.prompt_tokens) == ("anthropic", 3, 1000 + 1020 + 1040)
    assert first.seen == {"email": 3, "aws_key": 1}
    assert first.first_sent_tokens == {"user": 1000, "assistant": 40}
    assert (second.name, second.calls_not_looked_at, second.seen) == ("openai", 1, {})


def test_a_gateways_call_counts_as_looked_at_only_if_it_says_so(store):
    told = Conversation("a", source="gateway").call(user("mail", 10), tags={"seen": "all", "seen.email": "1"})
    silent = Conversation("b", source="gateway").call(user("who knows", 10))
    store.append([*told.entries, *silent.entries])

    (row,) = measure_exposure(store, "provider", *EVER)

    assert (row.calls, row.calls_not_looked_at, row.seen) == (2, 1, {"email": 1})


def test_what_was_redacted_is_counted_apart_kind_by_kind(store):
    hidden = {"seen.email": "2", "seen.jwt": "1", "redacted.email": "2"}
    talk = Conversation("a").call(user("mail", 10), tags=hidden).call(said("b", 20), tags={"seen.email": "1"})
    store.append(talk.entries)

    (row,) = measure_exposure(store, "provider", *EVER)

    assert (row.seen, row.redacted) == ({"email": 3, "jwt": 1}, {"email": 2})


def test_what_was_answered_from_memory_was_sent_to_nobody(store):
    asked = Conversation("a").call(user("hi", 10))
    (entry,) = Conversation("b", provider="modicum", anatomy=None).call(user("hi", 10)).entries
    remembered = msgspec.structs.replace(
        entry, call=msgspec.structs.replace(entry.call, usage=Usage(), calls_count=0, anatomy=None)
    )
    store.append([*asked.entries, remembered])

    assert [row.name for row in measure_exposure(store, "provider", *EVER)] == ["anthropic"]
