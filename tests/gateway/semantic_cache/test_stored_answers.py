"""Answers in memory: found, renewed, and gone in time, within bounds."""

from modicum.gateway.reply_cache.stored_replies import StoredReply
from modicum.gateway.semantic_cache.stored_answers import StoredAnswers
from modicum.gateway.semantic_cache.text_vectors import unit_vector

VECTOR = unit_vector([1.0, 0.0])


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def reply(body=b"x" * 100, at=0.0, key="ci"):
    return StoredReply(body, b"application/json", "call", key, at)


def stored(most_bytes=100_000, clock=None):
    return StoredAnswers(10.0, most_bytes, weighs_words=False, clock=clock or Clock())


def fill(answers, *texts, frame=b"f"):
    for text in texts:
        answers.add(frame, text, VECTOR, reply(), text)


def test_what_was_stored_is_found_in_its_own_frame_alone():
    answers = stored()
    fill(answers, b"a")

    assert answers.find_same(b"f", b"a").meaning == b"a"
    assert answers.find_same(b"g", b"a") is None
    assert answers.find_nearest(b"g", VECTOR) is None
    assert answers.find_nearest(b"f", VECTOR)[1] == 1.0


def test_an_answer_that_is_too_old_is_gone_unless_it_was_confirmed():
    clock = Clock()
    answers = stored(clock=clock)
    fill(answers, b"a", b"b")
    clock.now = 8.0
    answers.confirm(answers.find_same(b"f", b"a"), b"c", reply(at=8.0))
    clock.now = 15.0

    assert answers.find_same(b"f", b"c").meaning == b"a"
    assert answers.find_same(b"f", b"b") is None
    assert len(answers) == 1


def test_the_oldest_go_where_memory_ends_and_the_count_stays_true():
    answers = stored(most_bytes=10_000)
    fill(answers, *(b"%d" % number for number in range(20)))

    assert answers.held_bytes <= 10_000
    assert answers.find_same(b"f", b"0") is None
    assert answers.find_same(b"f", b"19") is not None
    answers.forget(lambda one: one.key_name == "ci")
    assert (len(answers), answers.held_bytes) == (0, 0)


def test_a_reply_that_is_too_long_is_not_held():
    answers = stored(most_bytes=10_000)
    answers.add(b"f", b"a", VECTOR, reply(b"x" * 2_000), b"a")

    assert len(answers) == 0


def test_an_answer_that_went_meanwhile_is_confirmed_for_nobody():
    answers = stored()
    fill(answers, b"a")
    gone = answers.find_same(b"f", b"a")
    answers.forget(lambda _: True)
    answers.confirm(gone, b"b", reply())

    assert answers.find_same(b"f", b"b") is None
    assert answers.held_bytes == 0


def test_a_frame_has_a_bound_of_its_own(monkeypatch):
    monkeypatch.setattr("modicum.gateway.semantic_cache.stored_answers.MOST_IN_FRAME", 3)
    answers = stored()
    fill(answers, b"a", b"b", b"c", b"d")

    assert [answers.find_same(b"f", one) is not None for one in (b"a", b"b", b"c", b"d")] == [False, True, True, True]
