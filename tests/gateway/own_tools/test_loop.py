"""A model that calls a tool of the gateway's is asked again; its caller gets one reply and never sees that tool."""

import json
import re
from contextlib import contextmanager

import anthropic
import msgspec
import openai
import pytest

from gateway.budgets.budget_rig import with_budgets
from gateway.scripted import MODELS, Answer, all_upstreams, scripted, whole
from modicum.calls import Usage
from modicum.optimizers.all_rules import RULES
from modicum.optimizers.result_cut import READ_TOOL
from modicum.optimizers.tools_on_demand import FIND_TOOL, LEAST_CONVERSATIONS
from modicum.providers.dialects import DIALECTS
from modicum.providers.planned_reply import PlannedReply, ToolCall
from modicum.settings.governance.limits import LimitSettings
from modicum.settings.optimize import OptimizeSettings

LINES = [f"the line of {number} says {'something ' * (number % 5)}" for number in range(700)]
TEXT = "\n".join(LINES)
NAMES = {"openai-chat": "openai-chat", "anthropic": "anthropic-messages", "responses": "openai-responses"}
CUT = re.compile(r'modicum_read_cut with result=\W*"(\w+)\W*", start=(\d+), end=(\d+)')
USAGE = Usage(input_uncached=100, output_visible=10)
EVERY = pytest.mark.parametrize("dialect", NAMES)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@contextmanager
def optimizing(folder, *on, **more):
    def settings(port):
        chosen = OptimizeSettings(on=on, hold_out=0)
        return msgspec.structs.replace(all_upstreams(port), optimize=chosen, **more)

    with scripted(folder, settings) as upstream:
        yield upstream


def reply(dialect, text="", *calls, stream=False):
    """What a model says in a dialect: words and calls of tools (name, arguments)."""
    made = tuple(ToolCall(f"call_{place}_{name}", name, given) for place, (name, given) in enumerate(calls))
    finish = "tool_calls" if calls else "stop"
    pieces = (text,) if text else ()
    plan = PlannedReply(
        f"AbCdEfGhIjKlMnOp{len(text):02}",
        MODELS[dialect],
        1,
        USAGE,
        usage_asked=True,
        pieces=pieces,
        calls=made,
        finish=finish,
    )
    writer = DIALECTS[NAMES[dialect]].writer
    if stream:
        return Answer(b"".join(writer.events(plan)), 200, "text/event-stream", 90)
    return Answer(writer.whole(plan))


def tool(dialect, name, description="a tool", words=10):
    parameters = {"type": "object", "properties": {"a": {"type": "string", "description": "word " * words}}}
    if dialect == "anthropic":
        return {"name": name, "description": description, "input_schema": parameters}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function} if dialect == "openai-chat" else {"type": "function", **function}


def messages(dialect, result=TEXT, asked="What is on line 600?"):
    """A conversation in which a search gave a long result."""
    if dialect == "anthropic":
        use = {"type": "tool_use", "id": "t1", "name": "grep", "input": {}}
        given = {"type": "tool_result", "tool_use_id": "t1", "content": result}
        return {"messages": [said("user", asked), said("assistant", [use]), said("user", [given])]}
    if dialect == "openai-chat":
        call = {"id": "t1", "type": "function", "function": {"name": "grep", "arguments": "{}"}}
        given = {"role": "tool", "tool_call_id": "t1", "content": result}
        return {"messages": [said("user", asked), {"role": "assistant", "tool_calls": [call]}, given]}
    call = {"type": "function_call", "call_id": "t1", "name": "grep", "arguments": "{}"}
    given = {"type": "function_call_output", "call_id": "t1", "output": result}
    return {"input": [said("user", asked), call, given], "store": False}


def said(role, content):
    return {"role": role, "content": content}


def last_result(dialect, request):
    last = request["input" if dialect == "responses" else "messages"][-1]
    if dialect == "anthropic":
        return last["content"][0]["content"]
    return last["output" if dialect == "responses" else "content"]


def reads_back(dialect, *before, stream=False):
    """A model that reads what was cut, and then answers."""

    def answer(request):
        found = CUT.search(json.dumps(request))
        if f"0_{READ_TOOL.name}" in json.dumps(request):
            return reply(dialect, "Done.", stream=stream)
        result, start, end = found.groups()
        given = {"result": result, "start": int(start), "end": int(end)}
        return reply(dialect, "Let me look. ", (READ_TOOL.name, given), *before, stream=stream)

    return answer


def text_of(dialect, got, *, stream=False):
    return DIALECTS[NAMES[dialect]].reply_text(got.content, stream=stream)


@EVERY
@BOTH
def test_what_was_cut_is_read_back_to_the_byte_and_the_caller_gets_one_reply(tmp_path, dialect, stream):
    with optimizing(tmp_path, "content.cut") as upstream:
        upstream.answers = reads_back(dialect, stream=stream)
        got = upstream.call(dialect, stream, tools=[tool(dialect, "grep")], **messages(dialect))

        assert text_of(dialect, got, stream=stream) == ("Let me look. Done.", False)
        assert READ_TOOL.name.encode() not in got.content
        first, second = upstream.asked
        assert READ_TOOL.name in json.dumps(first["tools"])
        assert TEXT not in json.dumps(first)
        _, start, end = CUT.search(json.dumps(first)).groups()
        assert last_result(dialect, second) == TEXT[int(start) : int(end)]
        hop, call = sorted(upstream.booked(2), key=lambda entry: entry.call.calls_count)
        assert (hop.call.calls_count, call.call.calls_count) == (0, 1)
        assert hop.call.tags["attempt.failed"] == "own_tool"
        assert hop.call.tags["attempt.of"] == call.call.tags["attempt.of"]
        assert (hop.call.usage, call.call.usage) == (USAGE, USAGE)
        assert hop.cost.usd == call.cost.usd > 0


@EVERY
@BOTH
def test_calls_of_the_callers_own_tools_go_to_it_without_ours(tmp_path, dialect, stream):
    with optimizing(tmp_path, "content.cut") as upstream:
        upstream.answers = reads_back(dialect, ("grep", {"a": "b"}), stream=stream)
        got = upstream.call(dialect, stream, tools=[tool(dialect, "grep")], **messages(dialect))

        assert text_of(dialect, got, stream=stream) == ("Let me look. ", True)
        assert READ_TOOL.name.encode() not in got.content
        assert b"grep" in got.content
        assert len(upstream.asked) == 1


@EVERY
def test_a_model_that_never_ends_is_ended(tmp_path, dialect):
    with optimizing(tmp_path, "content.cut") as upstream:
        upstream.answers = lambda _request: reply(dialect, "", (READ_TOOL.name, {"result": "x"}))
        got = upstream.call(dialect, tools=[tool(dialect, "grep")], **messages(dialect))

        assert len(upstream.asked) == 7
        assert "the last call of this tool" in json.dumps(upstream.asked[-1])
        facts = DIALECTS[NAMES[dialect]].reply(got.content)
        assert facts.finish_reason not in {"tool_use", "tool_calls"}
        assert READ_TOOL.name.encode() not in got.content


def test_official_clients_read_the_joined_streams(tmp_path):
    with optimizing(tmp_path, "content.cut") as upstream:
        upstream.answers = reads_back("anthropic", stream=True)
        with anthropic.Anthropic(base_url=upstream.url, auth_token=upstream.key, max_retries=0) as client:
            asked = {"model": "claude-sonnet-4-6", "max_tokens": 100, "tools": [tool("anthropic", "grep")]}
            with client.messages.stream(**asked, **messages("anthropic")) as events:
                message = events.get_final_message()
        assert [block.text for block in message.content] == ["Let me look. ", "Done."]
        assert message.stop_reason == "end_turn"
        with openai.OpenAI(base_url=f"{upstream.url}/v1", api_key=upstream.key, max_retries=0) as client:
            upstream.answers = reads_back("openai-chat", stream=True)
            asked = {"model": "gpt-4o-mini", "tools": [tool("openai-chat", "grep")]}
            with client.chat.completions.stream(**asked, **messages("openai-chat")) as events:
                events.until_done()
                said_in_all = events.get_final_completion().choices[0].message
            assert (said_in_all.role, said_in_all.content) == ("assistant", "Let me look. Done.")
            upstream.answers = reads_back("responses", stream=True)
            asked = {"model": "gpt-5", "tools": [tool("responses", "grep")]}
            with client.responses.stream(**asked, **messages("responses")) as events:
                numbers = [one.sequence_number for one in events]
                response = events.get_final_response()
            assert response.output_text == "Let me look. Done."
            assert numbers == sorted(set(numbers))


@BOTH
def test_what_goes_wrong_behind_a_tool_of_ours_is_told_in_the_callers_words(tmp_path, stream):
    def answer(request):
        if f"0_{READ_TOOL.name}" in json.dumps(request):
            return whole({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, 529)
        return reads_back("anthropic", stream=stream)(request)

    with optimizing(tmp_path, "content.cut") as upstream:
        upstream.answers = answer
        got = upstream.call("anthropic", stream, tools=[tool("anthropic", "grep")], **messages("anthropic"))

        assert got.status_code == (200 if stream else 529)
        assert got.content.count(b"event: error" if stream else b"overloaded_error") == 1


def test_a_budget_that_has_no_room_for_the_next_time_ends_the_call(tmp_path):
    def settings(port):
        return msgspec.structs.replace(all_upstreams(port), optimize=OptimizeSettings(on=("content.cut",), hold_out=0))

    with with_budgets(tmp_path, {"limit_usd": 1.0}, settings=settings, rules=RULES) as upstream:
        upstream.answers = lambda request: Answer(
            reads_back("anthropic")(request).body.replace(b'"output_tokens":10', b'"output_tokens":100000')
        )
        got = upstream.call("anthropic", tools=[tool("anthropic", "grep")], **messages("anthropic"))

        assert text_of("anthropic", got) == ("Let me look. ", False)
        assert len(upstream.asked) == 1
        assert upstream.reserved() == 0


def test_a_budget_that_ends_streams_bounds_the_next_time_by_what_is_left(tmp_path):
    def settings(port):
        return msgspec.structs.replace(all_upstreams(port), optimize=OptimizeSettings(on=("content.cut",), hold_out=0))

    with with_budgets(tmp_path, {"limit_usd": 0.06, "at_limit": "cut"}, settings=settings, rules=RULES) as upstream:
        model = reads_back("anthropic", stream=True)
        upstream.answers = lambda request: model(request)._replace(
            body=model(request).body.replace(b'"output_tokens":10', b'"output_tokens":960')  # leaves less than 100 more
        )
        got = upstream.call("anthropic", stream=True, tools=[tool("anthropic", "grep")], **messages("anthropic"))

        first, second = (asked["max_tokens"] for asked in upstream.asked)
        assert first == 100
        assert 16 <= second < 100
        assert text_of("anthropic", got, stream=True).text.startswith("Let me look. ")


@pytest.mark.parametrize("answered", ["whole", "stream"])
def test_a_limit_in_tokens_counts_each_time_that_the_model_was_asked(tmp_path, answered):
    stream, most = answered == "stream", 100_000
    limits = (LimitSettings(name="all", tokens_per_minute=most, calls_per_minute=9),)
    with optimizing(tmp_path, "content.cut", limit=limits) as upstream:
        upstream.answers = reads_back("anthropic", stream=stream)
        upstream.call("anthropic", stream, tools=[tool("anthropic", "grep")], **messages("anthropic"))
        upstream.answers = reply("anthropic", "Fine.")
        second = upstream.call("anthropic")

        reserved = len(second.request.content) // 4 + 100
        counted = {unit: second.headers[f"anthropic-ratelimit-{unit}-remaining"] for unit in ("tokens", "requests")}
        assert counted == {"tokens": f"{most - 2 * (100 + 10) - reserved}", "requests": "7"}


NOT_OFFERED = [
    ("anthropic", {"tool_choice": {"type": "any"}}),
    ("openai-chat", {"n": 2}),
    ("responses", {"store": True}),
]


@pytest.mark.parametrize(("dialect", "fields"), NOT_OFFERED)
def test_it_is_not_offered_where_the_reply_could_not_be_joined(tmp_path, dialect, fields):
    with optimizing(tmp_path, "content.cut") as upstream:
        upstream.answers = lambda _request: reply(dialect, "Fine.")
        upstream.call(dialect, **{"tools": [tool(dialect, "grep")]} | messages(dialect) | fields)

        assert READ_TOOL.name not in json.dumps(upstream.asked)
        assert "[modicum cut: " in json.dumps(upstream.asked)


TOOLS = ["grep", "send_mail", "book_room", "draw_chart"]


def names_of(request):
    return [(one.get("function") or one)["name"] for one in request["tools"]]


def talk(upstream, dialect, name, text, stream=False):
    """Two calls of a conversation in which one tool was called."""
    tools = [tool(dialect, one, f"Does {one.replace('_', ' ')} for people", 200) for one in TOOLS]
    result = messages(dialect, "ok", text)
    field = "input" if dialect == "responses" else "messages"
    first = {**result, field: result[field][:1]}
    sent = json.loads(json.dumps(result).replace('"grep"', f'"{name}"'))
    return [upstream.call(dialect, stream, tools=tools, **one) for one in (first, sent)]


@EVERY
@BOTH
def test_tools_that_are_hardly_ever_called_are_sent_when_they_are_asked_for(tmp_path, dialect, stream):
    with optimizing(tmp_path, "tools") as upstream:
        upstream.answers = lambda _request: reply(dialect, "Fine.", stream=stream)
        for number in range(LEAST_CONVERSATIONS):
            talk(upstream, dialect, "grep", f"Question {number}", stream)
        assert FIND_TOOL not in json.dumps(upstream.asked)

        def answer(request):
            if "send_mail" in names_of(request):
                return reply(dialect, "", ("send_mail", {"a": "x"}), stream=stream)
            return reply(dialect, "", (FIND_TOOL, {"query": "send a mail"}), stream=stream)

        upstream.asked.clear()
        upstream.answers = answer
        got, _ = talk(upstream, dialect, "send_mail", "Please mail Ann", stream)

        assert text_of(dialect, got, stream=stream).calls_tools
        assert b"send_mail" in got.content
        assert FIND_TOOL.encode() not in got.content
        assert list(map(names_of, upstream.asked)) == [
            ["grep", FIND_TOOL],
            ["grep", "send_mail", FIND_TOOL],
            ["grep", "send_mail", FIND_TOOL],
        ]


def test_agents_that_defer_tools_themselves_are_left_alone(tmp_path):
    with optimizing(tmp_path, "tools") as upstream:
        upstream.answers = lambda _request: reply("anthropic", "Fine.")
        tools = [tool("anthropic", name, words=300) | {"defer_loading": True} for name in TOOLS]
        for number in range(LEAST_CONVERSATIONS + 2):
            upstream.call("anthropic", tools=tools, **messages("anthropic", "ok", f"Question {number}"))

        assert {len(request["tools"]) for request in upstream.asked} == {4}
