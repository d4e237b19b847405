import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modicum.calls import Call, Problem, SegmentKind
from modicum.context.segmenter import BlockListener
from modicum.context.tool_result_reuse import FEWEST_LATER_CALLS, ReuseWatch
from modicum.importers import format_named, read_calls
from modicum.importers.format import Reading

START = datetime(2026, 2, 3, tzinfo=UTC)
FIXTURES = Path(__file__).parent.parent / "importers" / "fixtures"
REPORT = "\n".join(f"row_{number} holds amount{number} for customer_{number}" for number in range(100))
UNREAD = ["I go on.", "And on.", "Still.", "Nearly.", "Now.", "Done: nothing to add."]


class Agent:
    """A conversation of which every request repeats all that was said before, as OpenAI's bodies do."""

    def __init__(self):
        self.messages = [{"role": "user", "content": "Look into the report, please."}]
        self.lines = []

    def says(self, text):
        return self.replies({"role": "assistant", "content": text})

    def calls(self, tool, arguments, result):
        asked = {"id": f"t{len(self.messages)}", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        self.replies({"role": "assistant", "content": None, "tool_calls": [asked]})
        self.messages.append({"role": "tool", "tool_call_id": asked["id"], "content": result})
        return self

    def replies(self, message):
        self.lines.append((list(self.messages), message))
        self.messages.append(message)
        return self

    def as_modicum(self, **more):
        for number, (messages, reply) in enumerate(self.lines):
            started = (START + timedelta(seconds=number)).isoformat()
            told = {"modicum": 1, "model": "gpt-4o", "started": started, "call_id": f"c{number}", "task": "t"}
            yield told | {"usage": {"input_uncached": 9}, "messages": messages, "reply": reply} | more

    def as_openai(self, **more):
        for number, (messages, reply) in enumerate(self.lines):
            body = {"object": "chat.completion", "id": f"chatcmpl-{number}", "model": "gpt-4o"}
            body |= {"choices": [{"message": reply}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
            started = (START + timedelta(seconds=number)).isoformat()
            yield {"started": started, "task": "t", "request": {"messages": messages}, "response": body} | more

    def records(self, shape):
        """One record a call, as an export of a platform has it: `shape(number, started, messages, reply)`."""
        for number, (messages, reply) in enumerate(self.lines):
            yield shape(number, (START + timedelta(seconds=number)).isoformat(), messages, reply)


def langfuse(number, started, messages, reply):
    told = {"id": f"o{number}", "type": "GENERATION", "traceId": "t", "startTime": started, "model": "gpt-4o"}
    return told | {"usageDetails": {"input": 9, "output": 1}, "input": messages, "output": json.dumps(reply)}


def litellm(number, started, messages, reply):
    told = {"request_id": f"r{number}", "startTime": started, "model": "gpt-4o", "session_id": "t", "prompt_tokens": 9}
    return told | {"completion_tokens": 1, "messages": messages, "response": {"choices": [{"message": reply}]}}


def helicone(number, started, messages, reply):
    told = {"request_id": f"h{number}", "request_created_at": started, "response_model": "gpt-4o", "prompt_tokens": 9}
    told |= {"request_properties": {"Helicone-Session-Id": "t"}, "completion_tokens": 1}
    return told | {"request_body": {"messages": messages}, "response_body": {"choices": [{"message": reply}]}}


def langsmith(number, started, messages, reply):
    told = {"id": f"l{number}", "run_type": "llm", "trace_id": "t", "start_time": started, "prompt_tokens": 9}
    told |= {"completion_tokens": 1, "extra": {"metadata": {"ls_model_name": "gpt-4o"}}}
    message = {"kwargs": {"content": reply["content"], "response_metadata": {}}}
    return told | {"inputs": {"messages": messages}, "outputs": {"generations": [[{"message": message}]]}}


def otlp(number, started, messages, reply):
    nanoseconds = int(datetime.fromisoformat(started).timestamp()) * 1_000_000_000
    about = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 9}
    about |= {"gen_ai.input.messages": json.dumps(messages), "gen_ai.output.messages": json.dumps([reply])}
    about |= {"gen_ai.usage.output_tokens": 1, "gen_ai.conversation.id": "t"}
    told = {"traceId": f"{1:032x}", "spanId": f"{number + 1:016x}", "name": "chat gpt-4o", "attributes": about}
    return told | {"startTimeUnixNano": str(nanoseconds), "endTimeUnixNano": str(nanoseconds + 1)}


def anthropic(number, started, messages, reply):
    told = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "claude-opus-4-5"}
    told |= {"content": [{"type": "text", "text": reply["content"] or "-"}], "stop_reason": "end_turn"}
    told |= {"usage": {"input_tokens": 9, "output_tokens": 1}}
    return {"started": started, "task": "t", "request": {"messages": list(map(as_blocks, messages))}, "response": told}


def as_blocks(message):
    if message["role"] == "tool":
        block = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"]}
        return {"role": "user", "content": [block]}
    asked = [{"type": "tool_use", "id": one["id"], "name": "f", "input": {}} for one in message.get("tool_calls", [])]
    return {"role": message["role"], "content": message["content"] or asked}


def agent(said=UNREAD, tool="Fetch", arguments=None, result=REPORT):
    talk = Agent().calls(tool, arguments or {"what": "report"}, result)
    for text in said:
        talk.says(text)
    return talk


def shares(path, records, source="modicum"):
    """The share of each result that was read, by the ids of the calls that brought them; None: not judged."""
    path.write_text("\n".join(map(json.dumps, records)))
    found = list(read_calls([path], Reading(anatomy=True), source=source))
    assert not [one for one in found if isinstance(one, Problem)]
    return [
        part.reuse and part.reuse.read_share
        for call in found
        if isinstance(call, Call)
        for part in call.anatomy.added
        if part.kind is SegmentKind.TOOL_RESULT
    ]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.jsonl"


def test_a_result_that_nothing_later_refers_to_was_not_read(log):
    assert shares(log, agent().as_modicum()) == [0.0]


def test_the_rows_that_are_named_later_were_read(log):
    assert shares(log, agent(["It is row_50.", *UNREAD]).as_modicum()) == [pytest.approx(0.07, abs=0.01)]


def test_the_last_reply_counts_though_it_stands_in_no_context(log):
    said = [*UNREAD[:-1], "Done. It was customer_7, with amount7."]

    assert shares(log, agent(said).as_modicum()) == [pytest.approx(0.07, abs=0.01)]
    assert shares(log, agent(said).as_openai(), "openai") == [pytest.approx(0.07, abs=0.01)]


@pytest.mark.parametrize("shape", [langfuse, litellm, helicone, langsmith, otlp, anthropic])
def test_the_last_reply_is_heard_in_every_format_that_holds_replies(log, shape):
    said = [*UNREAD[:-1], "Done. It was customer_7, with amount7."]

    assert shares(log, agent().records(shape), shape.__name__) == [0.0]
    assert shares(log, agent(said).records(shape), shape.__name__) == [pytest.approx(0.07, abs=0.01)]


class Ear(BlockListener):
    def __init__(self):
        self.answered = set()

    def on_reply(self, call_id, said):
        self.answered |= {call_id for part in said if part.digest}


@pytest.mark.parametrize(
    "name", ["claude-code/session.jsonl", "codex/session.jsonl", "gemini-cli/session.json", "qwen-code/session.jsonl"]
)
def test_the_last_reply_is_heard_in_the_logs_of_agents(name):
    ear, path = Ear(), FIXTURES / name

    calls = list(format_named(path.parent.name).read(path, Reading(anatomy=True, listener=ear)))

    assert [call for call in calls if isinstance(call, Call)][-1].call_id in ear.answered


def test_without_the_last_reply_nothing_is_judged(log):
    assert shares(log, agent().as_modicum(reply=None)) == [None]


def test_near_the_end_nothing_is_judged(log):
    assert len(UNREAD) - 1 == FEWEST_LATER_CALLS  # behind the call that brought the result

    assert shares(log, agent(UNREAD).as_modicum()) == [0.0]
    assert shares(log, agent(UNREAD[1:]).as_modicum()) == [None]


def test_short_results_are_not_looked_at(log):
    assert shares(log, agent(result="row_1 holds amount1").as_modicum()) == [None]


def test_an_edit_of_a_file_that_was_read_counts_its_lines_as_read(log):
    talk = Agent().calls("Read", {"file_path": "/src/rows.py"}, REPORT)
    edit = {"file_path": "/src/rows.py", "old_string": "holds amount9 for customer_9", "new_string": "holds nothing"}
    talk.calls("Edit", edit, "done")
    for text in UNREAD:
        talk.says(text)

    assert shares(log, talk.as_modicum()) == [pytest.approx(0.07, abs=0.01), None]


@pytest.mark.parametrize(("tool", "share"), [("Read", 1.0), ("Bash", 0.0)])
def test_a_file_edited_by_line_numbers_was_read_in_whole_but_the_output_of_a_command_is_no_file(log, tool, share):
    talk = Agent().calls(tool, {"file_path": "/src/rows.py"}, REPORT)
    talk.calls("Edit", {"file_path": "/src/rows.py", "from": 9, "text": "x"}, "done")
    for text in UNREAD:
        talk.says(text)

    assert shares(log, talk.as_modicum())[0] == share


def test_what_another_conversation_says_is_no_use(log):
    other = [line | {"task": "u", "call_id": f"u{number}"} for number, line in enumerate(agent(["row_9"]).as_modicum())]

    assert shares(log, [*agent().as_modicum(), *other])[0] == 0.0


@pytest.mark.parametrize(("held", "share"), [(len(REPORT) + 620, 0.0), (len(REPORT) + 300, None)])
def test_a_file_too_large_to_be_held_is_judged_after_fifty_calls_or_not_at_all(log, held, share):
    said = [f"go on {number:02}" for number in range(100)]
    log.write_text("\n".join(map(json.dumps, agent([*said, "It was row_50."]).as_openai())))
    watch = ReuseWatch(most_held=held)

    found = list(watch.add_reuse(format_named("openai").read(log, Reading(anatomy=True, listener=watch))))

    parts = [part for call in found for part in call.anatomy.added if part.kind is SegmentKind.TOOL_RESULT]
    assert [part.reuse and part.reuse.read_share for part in parts] == [share]
    assert len(found) == 102


def test_no_text_is_kept_when_the_file_is_done(log):
    log.write_text("\n".join(map(json.dumps, agent().as_modicum())))
    found = [one for one in read_calls([log], Reading(anatomy=True)) if isinstance(one, Call)]

    assert "customer_7" not in repr(found)
