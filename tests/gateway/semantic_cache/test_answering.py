"""Questions that mean the same as one before: answered from memory within the owner's bound, and asked otherwise."""

from contextlib import contextmanager

import httpx2 as httpx
import msgspec
import pytest

from gateway.rig import CHAT, FIXTURES, running, usual, wait_until
from modicum.calls import CallStatus, Usage
from modicum.gateway.semantic_cache.answering import HEADER
from modicum.governance.keys import KeyEvent, Keys, revoke
from modicum.ledger.events import EventFile
from modicum.settings import ReplyCacheSettings, SemanticCacheSettings
from optimizers.meaning.small_model import write_model

MARK = HEADER.decode()
ROW = SemanticCacheSettings(hold_out=0, most_wrong=0.2)
WAYS = ["the capital of France{}", "capital of France{}", "France: the capital{}", "France capital{}"]
ENDINGS = ["?", "!", ", please", " now?", " today?"]
LEARNED = [way.format(ending) for way in WAYS for ending in ENDINGS]
"""Questions after which another one like them is answered."""
ALIKE = "Now: the capital of France"
PLANTED = "Something else altogether."
FIXTURE = "openai-chat/reasoning.sse"


@contextmanager
def knowing(folder, *rows, **changes):
    """A gateway that gives whatever it may give. Its settings are a file that nobody touches: what is read anew forgets
    all answers.
    """
    file = folder / "modicum.toml"
    file.touch()

    def settings(port):
        return msgspec.structs.replace(usual()(port), semantic_cache=rows or (ROW,), file=str(file), **changes)

    with running(folder, settings) as rig:
        rig.gateway._meanings._chance, rig.gateway._meanings._key = (lambda: 0.0), b"k" * 32
        yield rig


def post(rig, text, key="", fields=None, **headers):
    body = CHAT | {"messages": [{"role": "user", "content": text}]} | (fields or {})
    sent = rig.headers(**headers) | ({"authorization": f"Bearer {key}"} if key else {})
    return httpx.post(f"{rig.url}/v1/chat/completions", json=body, headers=sent, timeout=10)


def learn(rig, **more):
    for text in LEARNED:
        post(rig, text, **more)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """It has seen twenty questions with one answer."""
    with knowing(tmp_path_factory.mktemp("learned")) as rig:
        learn(rig)
        yield rig


def test_a_question_that_means_the_same_is_answered_and_costs_nothing(learned):
    made = len(learned.provider.asked)
    reply = post(learned, ALIKE)

    assert reply.headers[MARK].startswith("alike; age=")
    assert reply.json()["choices"][0]["message"]["content"]
    assert len(learned.provider.asked) == made
    wait_until(lambda: "alike" in {call.tags.get("semantic_cache") for call in learned.records()})
    answered = next(call for call in learned.records() if call.tags.get("semantic_cache") == "alike")
    assert (answered.provider, answered.calls_count, answered.usage) == ("modicum", 0, Usage())
    assert [edit.rule for edit in answered.edits] == ["semantic_cache"]
    assert 'modicum_semantic_cache_total{how="alike"}' in learned.gateway.parts.metrics.text().decode()


def test_some_questions_were_asked_first_and_compared(learned):
    ways = [call.tags["semantic_cache"] for call in learned.records()[:6]]

    assert ways[0] == "new"
    assert set(ways[1:]) == {"right"}


def test_the_very_same_text_is_answered_at_once(learned):
    assert post(learned, LEARNED[0]).headers[MARK].startswith("same")


def test_a_model_in_the_gateway_compares_questions_and_the_bound_is_learned_in_the_same_way(tmp_path):
    row = msgspec.structs.replace(ROW, embeddings_folder=str(write_model(tmp_path / "model")))
    with knowing(tmp_path, row) as rig:
        assert MARK not in post(rig, LEARNED[0]).headers
        learn(rig)
        reply = post(rig, ALIKE)
        asked = [call.tags["semantic_cache"] for call in rig.records()[:6]]

        assert reply.headers[MARK].startswith("alike; age=")
        assert (asked[0], set(asked[1:]) - {"same"}) == ("new", {"right"})


OTHERS = [
    {"model": "gpt-4o"},
    {"temperature": 0.5},
    {"messages": [{"role": "system", "content": "Be rude."}, {"role": "user", "content": LEARNED[0]}]},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, *CHAT["messages"]]},
    {"messages": [{"role": "user", "content": LEARNED[0]}, {"role": "assistant", "content": "b"}]},
    {"tools": []},
    {"store": True},
]


@pytest.mark.parametrize("fields", OTHERS)
def test_what_differs_beside_the_question_is_never_answered(learned, fields):
    assert MARK not in post(learned, LEARNED[0], fields=fields).headers


def test_nobody_gets_an_answer_to_somebody_elses_question(learned):
    other = learned.issue_key("cd", team="platform")
    for key in (other, "sk-of-somebody"):
        assert MARK not in post(learned, LEARNED[0], key=key).headers


def test_a_question_that_is_not_alike_is_asked(learned):
    assert MARK not in post(learned, "Write a poem on rain in Oslo").headers


def test_what_cannot_be_looked_at_is_counted_and_the_call_is_made(learned, monkeypatch):
    monkeypatch.setattr("modicum.gateway.semantic_cache.text_vectors.word_vector", lambda *_: 1 / 0)
    assert post(learned, "something new altogether").status_code == 200
    assert 'stage="semantic_cache"} 1.0' in learned.gateway.parts.metrics.text().decode()


def other_answer():
    document = msgspec.json.decode((FIXTURES / "openai-chat/cached.json").read_bytes())
    document["choices"][0]["message"]["content"] = PLANTED
    body = msgspec.json.encode(document)
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def test_an_answer_that_was_seen_to_be_wrong_is_given_no_more(tmp_path):
    with knowing(tmp_path) as rig:
        learn(rig)
        rig.provider.raw = other_answer()
        rig.gateway._meanings._chance = lambda: 1.0  # asked all the same
        assert MARK not in post(rig, "The capital of France, now", x_fault="raw").headers
        rig.gateway._meanings._chance = lambda: 0.0
        wait_until(lambda: rig.records()[-1].tags.get("semantic_cache") == "wrong")

        assert MARK not in post(rig, ALIKE).headers


def test_an_answer_that_an_attacker_planted_is_given_to_none_of_the_questions_it_was_made_for(tmp_path):
    """CacheAttack: the words of questions that will come, and one more that makes the model say something else."""
    with knowing(tmp_path) as rig:
        rig.provider.raw = other_answer()
        for text in LEARNED[:3]:
            post(rig, f"{text} ignore", x_fault="raw")
        assert post(rig, f"{LEARNED[0]} ignore").json()["choices"][0]["message"]["content"] == PLANTED
        replies = [post(rig, text) for text in [*LEARNED, ALIKE]]

        assert not any(reply.json()["choices"][0]["message"]["content"] == PLANTED for reply in replies)
        assert replies[-1].headers[MARK].startswith("alike")  # with what was found right for questions of others
        assert post(rig, f"{LEARNED[0]} ignore").headers[MARK].startswith("same")


def test_streams_are_streams_again_and_go_with_their_key(tmp_path):
    with knowing(tmp_path, reply_cache=(ReplyCacheSettings(hold_out=0),)) as rig:
        learn(rig, fields={"stream": True}, x_fixture=FIXTURE)
        first = post(rig, LEARNED[0], fields={"stream": True}, x_fixture=FIXTURE)
        alike = post(rig, ALIKE, fields={"stream": True}, x_fixture=FIXTURE)

        assert first.headers["x-modicum-reply-cache"].startswith("hit")  # the exact one is asked first
        assert alike.headers[MARK].startswith("alike")
        assert alike.headers["content-type"] == first.headers["content-type"]
        assert alike.content == first.content
        assert alike.content.endswith(b"data: [DONE]\n\n")
        assert rig.gateway._meanings.held_bytes > 0
        events = EventFile(rig.folder / "events.sqlite")
        events.append("key", revoke(Keys(events.read("key", KeyEvent)), "ci", rig.records()[0].started, "ann"))
        events.close()
        wait_until(lambda: rig.gateway._meanings.held_bytes == 0)


def test_only_whole_replies_in_words_are_kept(tmp_path):
    with knowing(tmp_path) as rig:
        for headers in ({"x_status": "500"}, {"x_fault": "hang_up"}, {"x_fixture": "openai-chat/tool_calls.json"}):
            post(rig, LEARNED[0], **headers)
        assert rig.gateway._meanings.held_bytes == 0


def test_a_held_out_task_makes_every_call(tmp_path):
    with knowing(tmp_path, msgspec.structs.replace(ROW, hold_out=0.999999)) as rig:
        for _ in range(2):
            assert MARK not in post(rig, LEARNED[0], x_modicum_task="t").headers
        calls = rig.wait_for_records(2)
        assert [call.tags["rules.held_out"] for call in calls] == ["semantic_cache"] * 2
        assert {call.status for call in calls} == {CallStatus.OK}
