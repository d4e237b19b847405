import msgspec

from insights.planted import EVER, PRICES, START, Conversation, asked, result, said, schema, user
from modicum.calls import Call, Owner, Usage
from modicum.calls.change import NO_CHANGE
from modicum.calls.rule import Rule, RuleEffect
from modicum.insights.rules.rule_replay import count_decisions, replay_rules
from modicum.ledger.booking import book
from modicum.optimizers.tools_on_demand import LEAST_CONVERSATIONS, TOOLS_ON_DEMAND
from optimizers.toy_rules import BROKEN, TOYS


def small_history():
    talk = Conversation("t", owner=Owner(team="search"), tags={"step": "plan"})
    talk.call(user("the task", 50))
    talk.call(said("I look"), asked("search", "x"), result("search", "x", "found", 300))
    talk.call(said("done"), user("more", 10))
    bare = Call(
        call_id="bare", source="test", provider="anthropic", model="claude-opus-4-5", started=START, usage=Usage(9)
    )
    return [*talk.entries, book(bare, PRICES)]


def test_rules_run_over_a_history_and_say_where_they_cannot_decide(store):
    store.append(small_history())

    calls = {call.entry_id: call for call in replay_rules(store, (*TOYS, BROKEN), PRICES, *EVER)}
    counts = count_decisions(calls.values())

    assert [(edit.rule, edit.tokens_before, edit.tokens_after) for edit in calls["t.1"].edits] == [
        ("toy.drop", 390, 70)
    ]
    assert [edit.tokens_before - edit.tokens_after for edit in calls["t.2"].edits] == [320]  # carried, so again
    assert calls["t.0"].edits == calls["bare"].edits == ()
    assert counts["toy.drop"].effects == {RuleEffect.CHANGED: 2, RuleEffect.NOT_DECIDABLE: 1}
    assert counts["toy.drop"].tokens_saved == 640
    assert counts["toy.shorten"].effects == {RuleEffect.NOT_DECIDABLE: 4}
    assert counts["toy.shorten"].reasons["it reads the text, and a ledger keeps none"] == 3
    assert counts["toy.broken"].effects == {RuleEffect.FAILED: 4}


def test_what_rules_know_of_a_recorded_call(store):
    store.append(small_history())
    seen = []

    def look(prompt, facts):
        seen.append(facts)
        return NO_CHANGE

    assert all(call.decisions == () for call in replay_rules(store, (Rule("look", look),), PRICES, *EVER))

    first, second = [facts for facts in seen if facts.conversation == "t"][:2]
    assert (first.owner, first.tags, first.task) == (Owner(team="search"), {"step": "plan"}, "t")
    assert (first.turn, first.cached_tokens, first.since_last_call_s) == (0, None, None)
    assert (second.turn, second.cached_tokens, second.since_last_call_s) == (1, 50, 7.0)
    assert second.conversation_age_s == 7.0
    assert second.rates("claude-opus-4-5").input_uncached * 1_000_000 == 5
    assert second.rates("nobody-knows-this") is None


def test_a_context_that_began_before_the_history_is_not_decided_about(store):
    entries = small_history()
    store.append(entries)
    (call,) = replay_rules(store, TOYS, PRICES, entries[2].call.started, EVER[1])

    assert {decision.why for decision in call.decisions} == {
        "what the prompt is made of: what it kept of the calls before it is not in this history"
    }


def test_a_break_leaves_only_what_was_kept(store):
    talk = Conversation("t").call(user("a", 10), asked("search", "x"), result("search", "x", "found", 300))
    talk.compact(user("summary", 30))
    store.append([msgspec.structs.replace(entry) for entry in talk.entries])

    _, after = replay_rules(store, TOYS, PRICES, *EVER)

    assert after.edits == ()


def test_what_a_program_calls_is_known_to_its_later_conversations(store):
    entries = []
    for number in range(LEAST_CONVERSATIONS + 1):
        talk = Conversation(f"t{number:02}", owner=Owner(team="search"))
        talk.call(schema("search", 400), schema("mail", 400), user(f"task {number}", 50))
        talk.call(asked("search", "x"), result("search", "x", "found", 300))
        entries += talk.entries
    store.append(entries)

    calls = {call.entry_id: call for call in replay_rules(store, (TOOLS_ON_DEMAND,), PRICES, *EVER)}

    last = f"t{LEAST_CONVERSATIONS}.0"
    assert calls["t00.0"].decisions == calls[f"t{LEAST_CONVERSATIONS - 1:02}.1"].decisions == ()
    (decision,) = calls[last].decisions
    assert decision.effect is RuleEffect.CHANGED
    assert "1 of 2 tools left out" in decision.change.why
    assert decision.expected.tokens_removed == 400 - decision.change.own_tools[0].tokens
    assert decision.expected.usd > 0
