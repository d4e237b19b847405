from insights.planted import EVER, Conversation, user
from modicum.insights.advice.examples import locate_calls
from modicum.insights.history import load
from modicum.ledger.opening import open_store


def test_a_call_is_found_by_time_project_and_session():
    talk = Conversation("s-1").call(user("q", 100)).call(user("r", 100))
    store = open_store(":memory:")
    store.append(talk.entries)
    history = load(store, *EVER)
    store.close()
    call = talk.entries[1].call

    (found,) = locate_calls(history, [call.call_id, "of another ledger"]).values()

    assert (found.call_id, found.started) == (call.call_id, call.started)
    assert (found.project, found.session, found.agent) == (call.project, call.task, call.agent)
    assert found.cost_usd == float(talk.entries[1].cost.usd)
