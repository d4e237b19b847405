from console.rig import asking_of
from modicum.insights.scoping.scope import Scope
from modicum.ledger.records import OUTCOMES


def test_a_question_is_asked_once_for_all_viewers(few_calls):
    class Counting:
        place, asked_for = "x", 0

        def ask(self, question, **parameters):
            self.asked_for += 1
            return few_calls.ask(question, **parameters)

        def records(self, *words):
            return few_calls.records(*words)

    store = Counting()
    asking = asking_of(store)
    scope = Scope(where={"team": "search"})
    first = [asking.rows("bill", by="model", tag="", **scope.parameters) for _ in range(5)]

    assert store.asked_for == 1
    assert all(rows is first[0] for rows in first)
    asking.rows("bill", by="model", tag="", **Scope(where={"team": "x"}).parameters)
    assert store.asked_for == 2
    assert asking.records(OUTCOMES) == []
    assert asking.live() is None
