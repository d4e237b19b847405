from types import SimpleNamespace

from gateway.warming.warm_rig import warm_rig
from modicum.gateway.http.refusal import Refused
from modicum.gateway.warming.sending_pings import send_ping


def test_a_ping_is_recorded_like_a_call_of_its_key_and_no_rule_runs_on_it(tmp_path):
    with warm_rig(tmp_path) as warm:
        warm.call("hello")
        (one,) = warm.keeper._conversations.values()
        pipeline = warm.rig.gateway.pipeline
        ran = []
        source = SimpleNamespace(name="toy", facts=ran.append)
        pipeline.take_over(pipeline.in_force._replace(sources=(source,)))

        call = warm.on_loop(send_ping(pipeline, one.ping))

        assert ran == []
        assert call.owner == warm.rig.wait_for_records(2)[0].owner
        assert call.usage.cache_read > 1024


def test_a_key_that_was_revoked_since_ends_it(tmp_path, monkeypatch):
    with warm_rig(tmp_path) as warm:
        call = warm.call("hello")

        def refuse(*_):
            raise Refused(401, "this key is unknown or revoked", "unknown_key")

        monkeypatch.setattr(warm.rig.gateway.pipeline, "identify", refuse)
        warm.ping(275, call)

        assert len(warm.mock.asked) == 1
        assert warm.keeper.conversations == 0
