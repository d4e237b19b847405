import json
from datetime import UTC, datetime

from modicum.calls import Segment, SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt
from modicum.calls.rule import Rule, RuleEffect
from modicum.optimizers.all_rules import RULES
from modicum.optimizers.running import AnatomyCall, RequestCall, run_rules
from modicum.providers.dialects import DIALECTS
from optimizers.toy_rules import BROKEN, DROP, SHORTEN, TOYS

FACTS = Facts(at=datetime(2026, 2, 3, tzinfo=UTC), model="gpt-4o", most_output_tokens=500)
CALL = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}
THANKS = {"role": "user", "content": "Thank you so much for all of this"}
CHAT = {
    "model": "gpt-4o",
    "messages": [
        {"role": "user", "content": "the task"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "found " * 200},
        THANKS,
    ],
}
RESULT = (
    Segment(SegmentKind.TOOL_CALL, 20, b"call", "search", b"x"),
    Segment(SegmentKind.TOOL_RESULT, 300, b"result", "search", b"x"),
)


def request(body, dialect="openai-chat"):
    return RequestCall(DIALECTS[dialect], json.dumps(body).encode(), FACTS)


def anatomy(*segments):
    return AnatomyCall(AnatomyPrompt([Segment(SegmentKind.USER, 5), *segments]), FACTS)


def effects(decisions):
    return [(decision.rule, decision.effect) for decision in decisions]


def test_the_same_rules_change_bytes_and_anatomies():
    live, recorded = request(CHAT), anatomy(*RESULT)

    assert effects(run_rules(TOYS, live)) == [("toy.drop", RuleEffect.CHANGED), ("toy.shorten", RuleEffect.CHANGED)]
    assert json.loads(live.body)["messages"] == [CHAT["messages"][0], THANKS | {"content": "Thanks."}]
    decisions = run_rules(TOYS, recorded)
    assert effects(decisions) == [("toy.drop", RuleEffect.CHANGED), ("toy.shorten", RuleEffect.NOT_DECIDABLE)]
    assert decisions[1].why == "it reads the text, and a ledger keeps none"
    assert [unit.kind for unit in recorded.prompt.units] == [SegmentKind.USER]
    (edit,) = recorded.edits
    assert (edit.rule, edit.tokens_before, edit.tokens_after, edit.why) == ("toy.drop", 325, 5, "large search results")


def test_a_rule_that_wants_nothing_leaves_bytes_and_no_decision():
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
    live = request(body)
    sent = live.body

    assert run_rules(TOYS, live) == []
    assert live.body is sent
    assert [one.rule for one in run_rules(RULES, live)] == ["cache.key"]


def test_a_rule_that_fails_costs_its_own_change_alone():
    live = request(CHAT)

    decisions = run_rules((BROKEN, SHORTEN), live)

    assert effects(decisions) == [("toy.broken", RuleEffect.FAILED), ("toy.shorten", RuleEffect.CHANGED)]
    assert decisions[0].why == "RuntimeError"  # and not its message, which may quote the prompt


def test_a_change_that_does_not_fit_leaves_the_call_as_it_was():
    def leave_out_all(prompt, facts):
        return Change(left_out=frozenset(range(len(prompt.units))))

    everything = Rule("toy.all", leave_out_all)
    for call in (request(CHAT), anatomy(*RESULT)):
        units = len(call.prompt.units)
        (decision,) = run_rules((everything,), call)
        assert (decision.effect, decision.why) == (RuleEffect.DOES_NOT_FIT, "nothing would be left to say")
        assert len(call.prompt.units) == units


def test_each_rule_is_asked_about_the_call_as_the_one_before_left_it():
    seen = []

    def look(prompt, facts):
        seen.append((len(prompt.units), facts.model, facts.most_output_tokens))
        return NO_CHANGE

    def ask_less(prompt, facts):
        return Change(model="gpt-4o-mini", most_output_tokens=100)

    for call in (request(CHAT), anatomy(*RESULT)):
        run_rules((Rule("a", look), DROP, Rule("b", ask_less), Rule("c", look)), call)

    assert seen == [(4, "gpt-4o", 500), (2, "gpt-4o-mini", 100), (3, "gpt-4o", 500), (1, "gpt-4o-mini", 100)]


def test_requests_that_nobody_takes_apart_are_not_decided_about():
    live = request({"contents": []}, "openai-embeddings")

    def cap(prompt, facts):
        return Change(most_output_tokens=5)

    capped = Rule("toy.cap", cap)

    assert effects(run_rules((DROP, capped), live)) == [
        ("toy.drop", RuleEffect.NOT_DECIDABLE),
        ("toy.cap", RuleEffect.DOES_NOT_FIT),
    ]
