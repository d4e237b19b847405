import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context.doors import DIGESTER
from modicum.calls import Owner, Segment, SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt
from modicum.calls.rates import Rates
from modicum.calls.rule import Rule, RuleEffect
from modicum.context.live import Counts, LiveContexts
from modicum.optimizers.all_rules import DEFAULT_RULES, RULES
from modicum.optimizers.grouped_matches import GROUPED_MATCHES
from modicum.optimizers.line_numbers import LINE_NUMBERS
from modicum.optimizers.running import AnatomyCall, RequestCall, run_rules
from modicum.providers import seen_requests
from modicum.providers.dialects import DIALECTS
from modicum.providers.repeated import edited_beginnings
from modicum.providers.repeated.edited_beginnings import EditedBeginnings
from modicum.providers.seen_requests import SeenRequests
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


FILE = "\n".join(f"{number:6}→    call({number})" for number in range(1, 20))
SEARCH = "\n".join(f"src/shop/orders.py:{number}:    return total({number})" for number in range(1, 12))
DATA = json.dumps([{"id": number, "name": f"row {number}"} for number in range(8)], indent=2)
RESULTS = st.sampled_from([FILE, SEARCH, DATA, "nothing to see here " * 5, f"{FILE}\n{SEARCH}"])
TOOLS = "Read", "mcp__shop__orders"
STEPS = st.lists(st.tuples(RESULTS, st.sampled_from(TOOLS)), min_size=1, max_size=5)
NO_PRICE = Rates(*[Decimal(0)] * 16)
PRICE = Rates(*[Decimal(number) / 1_000_000 for number in (5, 1, 6, 10, *[25] * 12)])


def chat_of(steps, tools):
    messages = [{"role": "user", "content": "the task"}]
    for number, (text, tool) in enumerate(steps):
        call = {"id": f"c{number}", "type": "function", "function": {"name": tool, "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": text})
    schemas = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in tools]
    return {"model": "gpt-4o", "messages": messages, "tools": schemas}


def messages_of(steps, tools):
    messages = [{"role": "user", "content": "the task"}]
    for number, (text, tool) in enumerate(steps):
        called = {"type": "tool_use", "id": f"t{number}", "name": tool, "input": {}}
        answer = {"type": "tool_result", "tool_use_id": f"t{number}", "content": text}
        messages.append({"role": "assistant", "content": [called]})
        messages.append({"role": "user", "content": [answer, {"type": "text", "text": "go on"}]})
    schemas = [{"name": name, "input_schema": {}} for name in tools]
    return {"model": "claude-opus-4-5", "tools": schemas, "messages": messages}


def marked(steps, tools):
    """As coding agents send it: the last block of the last two messages of the user is marked for the cache."""
    body = messages_of(steps, tools)
    for message in [one for one in body["messages"][1:] if one["role"] == "user"][-2:]:
        message["content"][-1]["cache_control"] = {"type": "ephemeral"}
    return body


def items_of(steps, tools):
    items = [{"role": "user", "content": "the task"}]
    for number, (text, tool) in enumerate(steps):
        items.append({"type": "function_call", "call_id": f"c{number}", "name": tool, "arguments": "{}"})
        items.append({"type": "function_call_output", "call_id": f"c{number}", "output": text})
    return {"model": "gpt-4o", "input": items, "tools": [{"type": "function", "name": name} for name in tools]}


MAKERS = [
    ("openai-chat", chat_of),
    ("anthropic-messages", messages_of),
    ("anthropic-messages", marked),
    ("openai-responses", items_of),
]
RULES_BEFORE = st.none() | st.frozensets(st.sampled_from([rule.name for rule in DEFAULT_RULES]))


def outcome(dialect, body, facts, seen):
    return outcome_of(RequestCall(dialect, body, facts, seen=seen))


def outcome_of(call, rules=DEFAULT_RULES):
    decisions = call.run(rules)
    made = [(decision.rule, decision.effect, decision.why, decision.expected) for decision in decisions]
    whys = [decision.change.why for decision in decisions if decision.change is not None]
    return call.body, made, whys


@settings(deadline=None)
@given(st.sampled_from(MAKERS), STEPS, STEPS, st.booleans(), st.data())
def test_a_beginning_that_came_before_is_sent_as_if_it_were_looked_at_again(maker, first, more, edits_files, data):
    (name, make), seen = maker, SeenRequests()
    dialect = DIALECTS[name]
    tools = ["Read", *(["Edit"] if edits_files else [])]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen_requests, "CHUNK_BYTES", 64)
        patched.setattr(edited_beginnings, "MOST_WRITTEN_BYTES", data.draw(st.sampled_from([2_000, 16_000_000])))
        for steps in (first, [*first, *more], [*first, *more], [*first, *reversed(more)], [*first, *more, *more]):
            rates = data.draw(st.sampled_from([None, NO_PRICE, PRICE, PRICE]))
            facts = msgspec.structs.replace(
                FACTS,
                turn=data.draw(st.sampled_from([None, 0, 3])),
                cached_tokens=data.draw(st.none() | st.integers(0, 2_000)),
                since_last_call_s=data.draw(st.sampled_from([None, 3.0, 900.0])),
                rules_before=data.draw(RULES_BEFORE),
                rates=None if rates is None else lambda _model, rates=rates: rates,
            )
            body = json.dumps(make(steps, tools)).encode()
            assert outcome(dialect, body, facts, seen) == outcome(dialect, body, facts, SeenRequests())


OWNERS = Owner(key="ann"), Owner(key="ben"), Owner(team="ben")
CALLS = st.lists(
    st.tuples(st.sampled_from(OWNERS), st.integers(0, 2), st.integers(0, 4), st.lists(STEPS, max_size=1)),
    min_size=2,
    max_size=8,
)
"""Who calls, in which conversation, how many of its steps are taken back, what comes behind the others."""


@settings(deadline=None)
@given(
    st.sampled_from(MAKERS), CALLS, st.sampled_from([9, 50_000]), st.sampled_from([6, 100_000]), RULES_BEFORE, st.data()
)
def test_histories_branched_forgotten_and_of_several_owners_are_sent_as_if_nothing_came_before(
    maker, calls, most_chunks, most_edits, rules_before, data
):
    (name, make), everybody, contexts = maker, SeenRequests(most_chunks), LiveContexts(DIGESTER)
    dialect, histories = DIALECTS[name], {}
    everybody.beginnings = EditedBeginnings(most_edits)
    facts = msgspec.structs.replace(FACTS, turn=3, cached_tokens=700, since_last_call_s=3.0, rules_before=rules_before)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen_requests, "CHUNK_BYTES", 64)
        patched.setattr(edited_beginnings, "MOST_WRITTEN_BYTES", data.draw(st.sampled_from([2_000, 16_000_000])))
        for owner, talk, taken_back, more in calls:
            before = histories.get(talk, [])
            steps = histories[talk] = [*before[: len(before) - taken_back], *(more[0] if more else [])]
            body = json.dumps(make(steps, ["Read"]), separators=(",", ":"), ensure_ascii=False).encode()
            rules = data.draw(st.sampled_from([DEFAULT_RULES, DEFAULT_RULES[1:], [LINE_NUMBERS]]))
            call = RequestCall(dialect, body, facts, seen=everybody.of(owner))
            assert outcome_of(call, rules) == outcome_of(RequestCall(dialect, body, facts), rules)
            assert parts_of(contexts, dialect, call.body, call.split) == parts_of(
                LiveContexts(DIGESTER), dialect, call.body
            )


def parts_of(contexts, dialect, body, split=None):
    context, uncounted = contexts.take(dialect, body, "gpt-4o", split)
    contexts.counted(context, [(part, Counts(len(text), {})) for part, text in uncounted])
    return context.parts


@pytest.mark.parametrize("rules", [[LINE_NUMBERS], [GROUPED_MATCHES, LINE_NUMBERS]])
def test_of_two_owners_with_one_beginning_neither_gets_what_was_made_of_the_others(monkeypatch, rules):
    monkeypatch.setattr(seen_requests, "CHUNK_BYTES", 64)
    dialect, everybody, asked = DIALECTS["openai-chat"], SeenRequests(), []

    def decide(prompt, facts):
        asked.append(len(prompt.new_results))
        return LINE_NUMBERS.decide(prompt, facts)

    watched = LINE_NUMBERS._replace(decide=decide)
    body = json.dumps(chat_of([(FILE, "Read"), (SEARCH, "Grep")], TOOLS)).encode()
    sent = []
    for owner, own_rules in ((OWNERS[0], [watched]), (OWNERS[1], [*rules[:-1], watched])) * 2:
        call = RequestCall(dialect, body, FACTS, seen=everybody.of(owner))
        call.run(own_rules)
        sent.append((call.body, call.split))

    assert asked == [2, 2, 0, 0]  # each is asked about all of it once, and finds its own again
    assert [one for one, _ in sent[:2]] == [one for one, _ in sent[2:]]
    assert (sent[0][0] == sent[1][0]) == (len(rules) == 1)
    (ann, ben), again = [split.identity(5) for _, split in sent[:2]], sent[2][1].identity(5)
    assert ann == again
    assert ann[0] != ben[0]
    assert not {id(one) for one in ann[1]} & {id(one) for one in ben[1]}


def test_rules_are_asked_about_what_is_new(monkeypatch):
    dialect, seen, asked = DIALECTS["openai-chat"], SeenRequests(), []

    def decide(prompt, facts):
        asked.append([unit.text for unit in prompt.new_results])
        return LINE_NUMBERS.decide(prompt, facts)

    monkeypatch.setattr(seen_requests, "CHUNK_BYTES", 64)
    steps = [(f"{FILE}\n{number}", "Read") for number in range(4)]
    rule = LINE_NUMBERS._replace(decide=decide)
    sent = []
    for count in (2, 3, 3, 4):
        call = RequestCall(dialect, json.dumps(chat_of(steps[:count], TOOLS)).encode(), FACTS, seen=seen)
        (decision,) = call.run([rule])
        sent.append((json.loads(call.body)["messages"], decision.change.why))

    texts = [text for text, _ in steps]
    assert asked == [texts[:2], [texts[2]], [], [texts[3]]]
    assert sent[0][0] == sent[3][0][:5]
    assert sent[1] == sent[2]
    assert [why for _, why in sent][-1] == "numbered lines with the number on every tenth: 4 tool results"


def test_marks_that_move_with_every_call_leave_the_beginning_known(monkeypatch):
    dialect, seen, asked = DIALECTS["anthropic-messages"], SeenRequests(), []

    def decide(prompt, facts):
        asked.append(len(prompt.new_results))
        return LINE_NUMBERS.decide(prompt, facts)

    monkeypatch.setattr(seen_requests, "CHUNK_BYTES", 64)
    rule = LINE_NUMBERS._replace(decide=decide)
    steps = [(f"{FILE}\n{number}", "Read") for number in range(12)]
    for count in range(8, 13):
        call = RequestCall(dialect, json.dumps(marked(steps[:count], TOOLS)).encode(), FACTS, seen=seen)
        call.run([rule])
        assert len(json.loads(call.body)["messages"]) == 2 * count + 1

    assert asked == [8, 4, 4, 4, 4]  # the two of the last five messages, in this call and in the one before


def test_a_rule_that_fails_on_what_is_new_costs_the_call_what_it_made_of_the_beginning(monkeypatch):
    dialect, seen = DIALECTS["openai-chat"], SeenRequests()

    def decide(prompt, facts):
        if len(prompt.units if prompt.earlier_edits("content.line_numbers") is None else prompt.new_results) in {1, 5}:
            raise ValueError
        return LINE_NUMBERS.decide(prompt, facts)

    monkeypatch.setattr(seen_requests, "CHUNK_BYTES", 64)
    rule = LINE_NUMBERS._replace(decide=decide)
    bodies = [json.dumps(chat_of([(FILE, "Read")] * count, ())).encode() for count in (1, 2)]
    calls = [RequestCall(dialect, body, FACTS, seen=seen) for body in bodies]
    effects_of = [effects(call.run([rule])) for call in calls]

    assert [[effect for _, effect in one] for one in effects_of] == [[RuleEffect.CHANGED], [RuleEffect.FAILED]]
    assert calls[0].body != bodies[0]
    assert calls[1].body == bodies[1]
