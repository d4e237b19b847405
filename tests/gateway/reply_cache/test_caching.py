"""Calls that are the same are made once, for those who chose it; every other call is made."""

import http.client
import threading
from contextlib import contextmanager

import httpx2 as httpx
import msgspec

from gateway.budgets.budget_rig import all_upstreams, with_budgets
from gateway.rig import CHAT, running, usual, wait_until
from modicum.calls import Basis, CallStatus, Usage
from modicum.gateway.reply_cache.caching import HEADER, PassedCopy
from modicum.governance.keys import KeyEvent, Keys, revoke
from modicum.ledger.events import EventFile
from modicum.settings import ReplyCacheSettings

MARK = HEADER.decode()
STREAMS = {"x_fixture": "openai-chat/reasoning.sse"}


@contextmanager
def caching(folder, *rows, **changes):
    def settings(port):
        return msgspec.structs.replace(usual()(port), reply_cache=rows or (ReplyCacheSettings(hold_out=0),), **changes)

    with running(folder, settings) as rig:
        yield rig


def post(rig, body=CHAT, path="/v1/chat/completions", key="", **headers):
    sent = rig.headers(**headers) | ({"authorization": f"Bearer {key}"} if key else {})
    return httpx.post(f"{rig.url}{path}", json=body, headers=sent, timeout=10)


def asked(rig):
    return len(rig.provider.asked)


def test_the_same_call_is_made_once_and_the_second_costs_nothing(tmp_path):
    with caching(tmp_path) as rig:
        first, second = post(rig), post(rig)

        assert (second.content, second.headers["content-type"]) == (first.content, first.headers["content-type"])
        assert MARK not in first.headers
        assert second.headers[MARK] == "hit; age=0"
        assert asked(rig) == 1
        made, answered = rig.wait_for_records(2)
        assert (answered.provider, answered.calls_count, answered.usage) == ("modicum", 0, Usage())
        assert (answered.tags["reply_cache"], answered.tags["reply_cache.of"]) == ("hit", made.call_id)
        assert [edit.rule for edit in answered.edits] == ["reply_cache"]
        assert 'modicum_reply_cache_total{how="hit"} 1.0' in rig.gateway.parts.metrics.text().decode()


def test_a_stream_is_a_stream_again_to_the_last_byte(tmp_path):
    with caching(tmp_path) as rig:
        first, second = (post(rig, CHAT | {"stream": True}, **STREAMS) for _ in range(2))

        assert first.content.endswith(b"data: [DONE]\n\n")
        assert second.content == first.content
        assert second.headers["content-type"] == first.headers["content-type"]
        assert asked(rig) == 1


OTHERS = [
    {"model": "gpt-4o"},
    {"temperature": 0.5},
    {"messages": [{"role": "system", "content": "Be brief."}, *CHAT["messages"]]},
]


def test_what_differs_in_any_way_is_another_call(tmp_path):
    with caching(tmp_path) as rig:
        for other in ({}, *OTHERS):
            assert MARK not in post(rig, CHAT | other).headers
        assert asked(rig) == 1 + len(OTHERS)


def test_calls_that_may_do_more_than_talk_are_always_made(tmp_path):
    fields = ["tools", "functions", "web_search_options", "store", "a_field_of_next_month"]
    with caching(tmp_path) as rig:
        for field in fields * 2:
            assert MARK not in post(rig, CHAT | {field: {}}).headers
        assert asked(rig) == 2 * len(fields)


def test_nobody_gets_the_reply_to_somebody_elses_call(tmp_path):
    with caching(tmp_path) as rig:
        other = rig.issue_key("cd", team="platform")
        for key in (rig.key, other, "sk-of-somebody", "sk-of-somebody-else"):
            assert MARK not in post(rig, key=key).headers
        assert asked(rig) == 4
        assert post(rig, key="sk-of-somebody").headers[MARK].startswith("hit")


def test_only_whole_and_sound_replies_answer_others(tmp_path):
    with caching(tmp_path) as rig:
        for headers in ({"x_status": "500"}, {"x_status": "429"}, {"x_fault": "hang_up"}, {}):
            assert MARK not in post(rig, **headers).headers
        for _ in range(2):
            reply = post(rig, CHAT | {"stream": True}, x_fault="broken_off", **STREAMS)
            assert b"upstream_broke_off" in reply.content
        assert asked(rig) == 6


def test_calls_at_the_same_time_wait_for_the_first(tmp_path):
    with caching(tmp_path, ReplyCacheSettings(seconds=0, hold_out=0)) as rig:
        replies = []
        callers = [threading.Thread(target=lambda: replies.append(post(rig, x_fault="hold"))) for _ in range(5)]
        for caller in callers:
            caller.start()
        wait_until(lambda: rig.gateway.parts.journal.calls_under_way == 5)
        rig.release()
        for caller in callers:
            caller.join(10)

        assert len({reply.content for reply in replies}) == 1
        assert sorted(MARK in reply.headers for reply in replies) == [False, True, True, True, True]
        assert asked(rig) == 1
        assert MARK not in post(rig).headers  # nothing was held


def test_a_caller_that_leaves_while_it_waits_for_another_call_holds_nothing_any_more(tmp_path):
    with caching(tmp_path) as rig:
        leader = threading.Thread(target=lambda: post(rig, x_fault="hold"))
        leader.start()
        wait_until(lambda: asked(rig) == 1)
        journal = rig.gateway.parts.journal

        joined = http.client.HTTPConnection(rig.url.removeprefix("http://"))
        with httpx.Client(headers=rig.headers()) as same:
            sent = same.build_request("POST", f"{rig.url}/v1/chat/completions", json=CHAT)
        joined.request("POST", "/v1/chat/completions", sent.content, dict(sent.headers))
        wait_until(lambda: journal.calls_under_way == 2)
        joined.close()

        wait_until(lambda: journal.calls_under_way == 1)
        rig.release()
        leader.join(10)
        assert asked(rig) == 1
        left, made = rig.wait_for_records(2)
        assert (left.status, made.status) == (CallStatus.ABORTED, CallStatus.OK)
        assert left.usage_basis is Basis.UNKNOWN
        assert post(rig).headers[MARK].startswith("hit")


def test_those_that_waited_for_a_call_that_fails_are_made(tmp_path):
    with caching(tmp_path) as rig:
        replies = []

        def call(**headers):
            replies.append(post(rig, **headers))

        leader = threading.Thread(target=call, kwargs={"x_fault": "hold", "x_status": "500"})
        leader.start()
        wait_until(lambda: asked(rig) == 1)
        others = [threading.Thread(target=call) for _ in range(2)]
        for other in others:
            other.start()
        wait_until(lambda: rig.gateway.parts.journal.calls_under_way == 3)
        rig.release()
        for caller in (leader, *others):
            caller.join(10)

        assert sorted(reply.status_code for reply in replies) == [200, 200, 500]
        assert asked(rig) == 3


def test_a_choice_is_about_some_owners_and_models_only(tmp_path):
    row = ReplyCacheSettings(team="platform", model="gpt-4o", hold_out=0)
    with caching(tmp_path, row) as rig:
        other = rig.issue_key("cd", team="search")
        for key, model in ((rig.key, "gpt-4o-mini"), (other, "gpt-4o")):
            for _ in range(2):
                assert MARK not in post(rig, CHAT | {"model": model}, key=key).headers
        post(rig, CHAT | {"model": "gpt-4o"})
        assert MARK in post(rig, CHAT | {"model": "gpt-4o"}).headers


def test_a_held_out_task_makes_every_call_and_says_so(tmp_path):
    with caching(tmp_path, ReplyCacheSettings(hold_out=0.999999)) as rig:
        for _ in range(2):
            assert MARK not in post(rig, x_modicum_task="t").headers
        assert [call.tags["rules.held_out"] for call in rig.wait_for_records(2)] == ["reply_cache"] * 2
        post(rig)
        assert MARK in post(rig).headers  # without a task nothing can be compared


def test_a_reply_goes_with_its_key_and_with_the_settings(tmp_path):
    with caching(tmp_path) as rig:
        cache = rig.gateway._caching
        post(rig)
        post(rig, key="sk-of-somebody")
        held = cache.held_bytes
        events = EventFile(rig.folder / "events.sqlite")
        events.append(
            "key", revoke(Keys(events.read("key", KeyEvent)), "ci", rig.wait_for_records(2)[0].started, "ann")
        )
        events.close()
        wait_until(lambda: cache.held_bytes == held / 2)

        rig.loop.call_soon_threadsafe(cache.take_over, (ReplyCacheSettings(hold_out=0),))
        wait_until(lambda: cache.held_bytes == 0)
        assert MARK not in post(rig, key="sk-of-somebody").headers


def test_what_was_not_asked_costs_no_budget(tmp_path):
    def settings(port):
        return msgspec.structs.replace(all_upstreams(port), reply_cache=(ReplyCacheSettings(hold_out=0),))

    with with_budgets(tmp_path, {"name": "two", "limit_calls": 2}, settings=settings) as rig:
        assert [rig.chat().status_code for _ in range(4)] == [200] * 4
        assert [rig.chat(temperature=number).status_code for number in (0, 1)] == [200, 402]


def test_one_that_fails_is_counted_and_the_call_is_made(tmp_path, monkeypatch):
    with caching(tmp_path) as rig:
        monkeypatch.setattr("modicum.gateway.reply_cache.caching.digest_call", lambda *_: 1 / 0)
        assert post(rig).status_code == 200
        assert rig.wait_for_records(1)[0].status is CallStatus.OK
        assert 'stage="reply_cache"} 1.0' in rig.gateway.parts.metrics.text().decode()


def test_a_reply_that_is_too_long_is_not_copied():
    copy = PassedCopy(5)
    copy.add(b"abc")
    copy.add(b"de")
    assert copy.body == b"abcde"
    copy.add(b"f")
    assert copy.body is None
