"""Replies in memory: how long, how many."""

import asyncio

from modicum.gateway.reply_cache.stored_replies import ENTRY_BYTES, LARGEST_SHARE, StoredReplies, StoredReply


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def put(replies, digest, body=b"words", key_name="ci"):
    async def call():
        replies.begin(digest)
        waiting = replies.under_way(digest)
        replies.end(digest, StoredReply(body, b"application/json", "1", key_name, replies._clock()))
        return await waiting

    return asyncio.run(call())


def test_a_reply_answers_for_its_time_and_no_longer():
    clock = Clock()
    replies = StoredReplies(60, 10_000, clock)
    put(replies, b"a")
    clock.now_s = 60
    assert replies.age_s(replies.find(b"a")) == 60
    clock.now_s = 60.1
    assert replies.find(b"a") is None
    assert (len(replies), replies.held_bytes) == (0, 0)


def test_the_one_that_nobody_asked_for_goes_first():
    replies = StoredReplies(60, 3 * (ENTRY_BYTES + 5), Clock())
    for digest in (b"a", b"b", b"c"):
        put(replies, digest)
    assert replies.find(b"a") is not None
    put(replies, b"d")
    assert [replies.find(digest) is not None for digest in (b"a", b"b", b"c", b"d")] == [True, False, True, True]
    put(replies, b"d", b"other")
    assert replies.held_bytes == 3 * (ENTRY_BYTES + 5)


def test_those_that_wait_get_a_reply_that_is_too_large_to_be_held():
    replies = StoredReplies(60, 8_000, Clock())
    large = b"x" * (8_000 // LARGEST_SHARE + 1)
    assert put(replies, b"a", large).body == large
    assert replies.find(b"a") is None


def test_what_is_unwanted_or_too_old_is_dropped():
    clock = Clock()
    replies = StoredReplies(60, 10_000, clock)
    put(replies, b"old")
    clock.now_s = 50
    put(replies, b"of ci")
    put(replies, b"of cd", key_name="cd")
    clock.now_s = 61
    replies.forget(lambda reply: reply.key_name == "ci")
    assert len(replies) == 1
    assert replies.find(b"of cd") is not None
