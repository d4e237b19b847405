"""What holds for every rule of the list, whatever it is sent."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls.facts import Facts
from modicum.calls.rule import Safety
from modicum.optimizers.all_rules import DEFAULT_RULES, GUARD_RULES, RULES
from modicum.optimizers.arrival import EditMemory, edits_files
from modicum.optimizers.log_folding import MARK
from modicum.optimizers.running import RequestCall, run_rules
from modicum.providers.dialects import DIALECTS

FACTS = Facts(at=datetime(2026, 2, 3, tzinfo=UTC), model="gpt-4o")
ROWS = [{"id": number, "name": f"n{number}"} for number in range(40)]
LOG = "\n".join(f"2026-01-02 10:00:{number % 60:02} INFO worker-{number} ok" for number in range(60))
BASE64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk" * 8
TEXTS = [
    json.dumps(ROWS, indent=2),
    '{"half": [1, 2, ' + " " * 90,
    LOG,
    "\x1b[31mred\x1b[0m " * 20 + "\r 10 %\r 20 %\nended",
    f"picture {BASE64} end",
    "def f():\n    return 1\n" * 6000,
    "x" * 1_000_000,
    "שלום 你好 " * 4000,
    MARK + "3 lines left out]\n" + LOG,
    "[modicum cut: lines 1 to 9 of this output left out]\n" + "word " * 20_000,
    "\n".join(f"{number:6}→\tcall({number})" for number in range(1, 300)),
    "\n".join(f"src/shop/cart.py:{number}:total += {number}" for number in range(80)),
    "[modicum: of the next 90 lines every tenth shows its number]\n     1→a\nb",
    "[modicum: each file's name stands above its lines]\nsrc/cart.py\n3:x",
    "[modicum: unchanged, the same text as tool result 9 above, which begins: x]" * 9,
    "漢字と\u202eשם" * 3000,
    '[{"half": "finished", "list": [' + "1, " * 400,
    '{"columns of this table": ["a"], "rows": [[1], [2]]}' + " " * 40,
]
PIECES = st.one_of(st.sampled_from(TEXTS), st.text(max_size=300))
RESULTS = st.lists(st.lists(PIECES, min_size=1, max_size=2).map("\n".join), min_size=1, max_size=4)


def chat(results, question="what is in worker-7?", tools=()):
    messages = [{"role": "user", "content": question}]
    for number, result in enumerate(results):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "lookup", "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": result},
        ]
    schemas = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in tools]
    return {"model": "gpt-4o", "messages": messages, **({"tools": schemas} if schemas else {})}


def sent(body, rules=RULES):
    call = RequestCall(DIALECTS["openai-chat"], json.dumps(body).encode(), FACTS)
    decisions = run_rules(rules, call)
    assert [one for one in decisions if one.effect in {"failed", "does_not_fit"}] == []
    return json.loads(call.body)


def skeleton(body):
    return [
        {key: value for key, value in message.items() if key != "content" or message["role"] != "tool"}
        for message in body["messages"]
    ]


def contents(body):
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


@settings(max_examples=settings.default.max_examples * 4 // 5)
@given(RESULTS, st.sampled_from([None, *RULES]))
def test_rules_are_idempotent_never_add_and_never_move_a_turn(results, rule):
    rules = RULES if rule is None else (rule,)
    may_add = not set(rules).isdisjoint(GUARD_RULES)  # their notes are words to the model, and may be longer
    body = chat(results)

    once = sent(body, rules)

    assert skeleton(once) == skeleton(body)
    for before, after in zip(contents(body), contents(once), strict=True):
        assert len(after) <= len(before) or (may_add and after.startswith("[modicum: "))
        assert len(after.encode()) <= len(before.encode()) or may_add
    assert sent(once, rules) == once


@settings(max_examples=settings.default.max_examples * 3 // 5)
@given(RESULTS, RESULTS)
def test_what_was_sent_once_stays_the_same_as_the_conversation_grows(first, more):
    before = sent(chat(first))["messages"]
    grown = chat([*first, *more])
    grown["messages"].append({"role": "user", "content": "and something quite different: worker-9?"})

    assert sent(grown)["messages"][: len(before)] == before


def test_what_runs_unasked_loses_nothing():
    """Rules for the prompt cache say something to the provider that a program did not, so an owner chooses them."""
    assert [rule.name for rule in DEFAULT_RULES] == [
        "content.line_numbers",
        "content.grouped_matches",
        "content.json_minify",
    ]
    assert [rule.name for rule in RULES if rule.safety is Safety.LOSSLESS] == [
        "content.line_numbers",
        "content.grouped_matches",
        "content.json_minify",
        "cache.tool_order",
        "cache.key_order",
        "cache.volatile_facts",
        "cache.key",
        "cache.breakpoints",
    ]
    assert [rule.name for rule in RULES if not rule.is_cache_safe] == ["tools.on_demand"]  # it goes by conversations
    assert all(rule.purpose for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_images_and_tool_results_without_calls_are_no_obstacle():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + BASE64}}
    body = {
        "model": "gpt-4o",
        "messages": [
            {"role": "tool", "tool_call_id": "nobody", "content": json.dumps(ROWS, indent=1)},
            {"role": "user", "content": [{"type": "text", "text": "look"}, image]},
            {"role": "oddity", "content": 7},
        ],
    }

    assert sent(body)["messages"][1:] == body["messages"][1:]


@pytest.mark.parametrize(("tools", "is_whole"), [(["Edit", "Read"], True), (["lookup"], False)])
def test_files_are_not_put_in_another_form_for_agents_that_change_them_by_quoting(tools, is_whole):
    text = json.dumps(ROWS, indent=2)
    body = chat([text], tools=tools)

    assert (contents(sent(body)) == [text]) is is_whole
    assert bool(edits_files(DIALECTS["openai-chat"].prompt(json.dumps(body).encode()))) is is_whole


def test_memory_works_out_a_text_once_and_is_bounded():
    edited = []

    def half(text):
        edited.append(text)
        return text[: len(text) // 2]

    memory = EditMemory(half, most_characters=1_000)
    assert [memory.edit("a" * 100), memory.edit("a" * 100), memory.edit("b")] == ["a" * 50, "a" * 50, None]
    assert len(edited) == 2
    for number in range(100):
        memory.edit(f"{number:0100}")
    assert len(memory) < 10


def test_no_text_takes_time_that_grows_faster_than_it_does():
    hostile = ["\x1b" * 200_000 + "[m" * 200_000, "1" * 400_000, "a." * 200_000, "a/" * 200_000, "[" * 400_000 + "]"]
    hostile += ["INFO " + "a" * 20_000 + "\n" for _ in range(1)] * 30
    started = time.process_time()

    sent(chat(hostile))

    assert time.process_time() - started < 20  # minutes, where it is quadratic


def test_a_result_is_changed_for_what_it_saves_alone():
    """Else what is worth it only beside others would be sent in two ways."""
    tiny = "x" * 64 + "\r" + "y" * 63
    before = sent(chat([tiny]))["messages"]

    assert sent(chat([tiny, "done 1%\r" * 40 + "done"]))["messages"][: len(before)] == before


def test_a_request_without_results_is_not_read(monkeypatch):
    body = chat([])
    call = RequestCall(DIALECTS["openai-chat"], json.dumps(body).encode(), FACTS)
    monkeypatch.setattr("modicum.providers.prompt.RequestPrompt._read", lambda _: pytest.fail("it was read"))

    assert not call.prompt.may_hold_results
    assert run_rules(DEFAULT_RULES, call) == []
