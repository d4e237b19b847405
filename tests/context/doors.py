"""One conversation as it comes through every door: bodies in each dialect, and the logs that agents and platforms write
of it. Not a test itself.
"""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

import msgspec

from modicum.calls import Basis, Call, Owner, SegmentKind, Usage
from modicum.context.conversations import ContextPart, Conversations
from modicum.context.live import Counts, LiveContexts
from modicum.importers import read_calls
from modicum.importers.format import Reading
from modicum.metering.digests import Digester
from modicum.providers.blocks import canonical
from modicum.providers.dialects import DIALECTS

START = datetime(2026, 2, 3, tzinfo=UTC)
DIGESTER = Digester(b"k" * 32)
MODELS = {"anthropic": "claude-opus-4-5", "chat": "gpt-4o", "responses": "gpt-4o", "gemini": "gemini-2.5-flash"}


class Item(NamedTuple):
    role: str
    """`user`, `assistant`, `call` or `result`."""
    text: str = ""
    call: str = ""
    tool: str = ""
    arguments: dict | None = None
    is_error: bool = False


class Talk(NamedTuple):
    system: str
    tools: list[tuple[str, str, dict]]
    items: list[Item]
    seed: int = 0
    """Of how JSON is written and where marks stand, which means nothing."""

    @property
    def ends(self):
        """How many items each request holds: one is sent when the user or the last of the tools has spoken."""
        said = [item.role for item in self.items] + ["end"]
        return [at + 1 for at, role in enumerate(said[:-1]) if role in {"user", "result"} and said[at + 1] != "result"]

    def reply(self, number):
        end = self.ends[number]
        behind = self.items[end:]
        count = next((at for at, item in enumerate(behind) if item.role in {"user", "result"}), len(behind))
        return behind[:count] or [Item("assistant", "That is all.")]

    def prompt_tokens(self, number):
        return 100 + sum(map(size, self.items[: self.ends[number]]))

    @property
    def is_in_single_file(self):
        """Whether no two tools were called at once."""
        return not any(one.role == other.role == "call" for one, other in zip(self.items, self.items[1:], strict=False))


def size(item):
    return len(f"{item.tool}\n{canonical(item.arguments)}") if item.role == "call" else len(item.text)


def at(number, seconds=0):
    return START + timedelta(seconds=30 * number + seconds)


def stamp(number, seconds=0):
    return at(number, seconds).isoformat().replace("+00:00", "Z")


class Writer:
    """Writes JSON with its keys in any order, and marks anywhere."""

    def __init__(self, seed):
        self.random = Random(seed)  # noqa: S311 - no secret

    def shuffled(self, value):
        if isinstance(value, dict):
            names = list(value)
            self.random.shuffle(names)
            return {name: self.shuffled(value[name]) for name in names}
        return [self.shuffled(inner) for inner in value] if isinstance(value, list) else value

    def text(self, value):
        return json.dumps(self.shuffled(value), indent=self.random.choice([None, 1]))

    def marked(self, part, mark="cache_control"):
        if self.random.random() < 0.3:
            return part | {mark: {"type": self.random.choice(["ephemeral", "default"])}}
        return part


# The dialects: a request of some items, and a reply.


def anthropic(talk, items, writer):
    found = []
    for item in items:
        role = "user" if item.role in {"user", "result"} else "assistant"
        if item.role == "call":
            part = {"type": "tool_use", "id": item.call, "name": item.tool, "input": item.arguments}
        elif item.role == "result":
            content = item.text if writer.random.random() < 0.5 else [{"type": "text", "text": item.text}]
            part = {"type": "tool_result", "tool_use_id": item.call, "content": content, "is_error": item.is_error}
        else:
            part = {"type": "text", "text": item.text}
        part = writer.marked(part)
        if found and found[-1]["role"] == role:
            found[-1]["content"].append(part)
        else:
            found.append({"role": role, "content": [part]})
    tools = [writer.marked({"name": n, "description": d, "input_schema": schema}) for n, d, schema in talk.tools]
    system = [writer.marked({"type": "text", "text": talk.system})]
    return {"model": MODELS["anthropic"], "max_tokens": 9, "tools": tools, "system": system, "messages": found}


def chat_messages(items, writer):
    found = []
    for item in items:
        if item.role == "result":
            found.append({"role": "tool", "tool_call_id": item.call, "content": item.text})
            continue
        role = "user" if item.role == "user" else "assistant"
        if item.role == "call":
            function = {"name": item.tool, "arguments": writer.text(item.arguments)}
            call = {"id": item.call, "type": "function", "function": function}
            if found and found[-1]["role"] == "assistant":
                found[-1].setdefault("tool_calls", []).append(call)
            else:
                found.append({"role": "assistant", "content": None, "tool_calls": [call]})
        else:
            found.append({"role": role, "content": item.text})
    return found


def functions(talk, *, nested):
    told = [{"name": n, "description": d, "parameters": schema} for n, d, schema in talk.tools]
    return [{"type": "function", "function": one} if nested else {"type": "function", **one} for one in told]


def chat(talk, items, writer):
    messages = [{"role": "system", "content": talk.system}, *chat_messages(items, writer)]
    return {"model": MODELS["chat"], "tools": functions(talk, nested=True), "messages": messages}


def response_items(items, writer):
    found = []
    for item in items:
        if item.role == "call":
            arguments = writer.text(item.arguments)
            found.append({"type": "function_call", "call_id": item.call, "name": item.tool, "arguments": arguments})
        elif item.role == "result":
            found.append({"type": "function_call_output", "call_id": item.call, "output": item.text})
        else:
            kind = "input_text" if item.role == "user" else "output_text"
            content = [{"type": kind, "text": item.text}]
            found.append({"type": "message", "role": item.role, "content": content})
    return found


def responses(talk, items, writer):
    tools = functions(talk, nested=False)
    found = response_items(items, writer)
    return {"model": MODELS["responses"], "tools": tools, "instructions": talk.system, "input": found}


def gemini_parts(item):
    if item.role == "call":
        return {"functionCall": {"id": item.call, "name": item.tool, "args": item.arguments}}
    if item.role == "result":
        response = {"error" if item.is_error else "output": item.text}
        return {"functionResponse": {"id": item.call, "name": item.tool, "response": response}}
    return {"text": item.text}


def gemini(talk, items, writer):
    del writer
    contents = []
    for item in items:
        role = "user" if item.role in {"user", "result"} else "model"
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"].append(gemini_parts(item))
        else:
            contents.append({"role": role, "parts": [gemini_parts(item)]})
    declared = [{"name": n, "description": d, "parameters": capitals(schema)} for n, d, schema in talk.tools]
    system = {"parts": [{"text": talk.system}]}
    return {"tools": [{"functionDeclarations": declared}], "systemInstruction": system, "contents": contents}


def capitals(schema):
    """Types as Gemini's clients write them."""
    if not isinstance(schema, dict):
        return schema
    return {
        name: inner.upper() if name == "type" and isinstance(inner, str) else capitals(inner)
        for name, inner in schema.items()
    }


def bedrock(talk, items, writer):
    messages = []
    for item in items:
        role = "user" if item.role in {"user", "result"} else "assistant"
        if item.role == "call":
            part = {"toolUse": {"toolUseId": item.call, "name": item.tool, "input": item.arguments}}
        elif item.role == "result":
            status = "error" if item.is_error else "success"
            part = {"toolResult": {"toolUseId": item.call, "content": [{"text": item.text}], "status": status}}
        else:
            part = {"text": item.text}
        messages.append({"role": role, "content": [part]})
        if writer.random.random() < 0.3:
            messages[-1]["content"].append({"cachePoint": {"type": "default"}})
    specs = [
        {"toolSpec": {"name": n, "description": d, "inputSchema": {"json": schema}}} for n, d, schema in talk.tools
    ]
    return {"tools": {"tools": specs}, "system": [{"text": talk.system}], "messages": messages}


def telemetry(items):
    found = []
    for item in items:
        if item.role == "call":
            part = {"type": "tool_call", "id": item.call, "name": item.tool, "arguments": item.arguments}
            found.append({"role": "assistant", "parts": [part]})
        elif item.role == "result":
            part = {"type": "tool_call_response", "id": item.call, "response": item.text}
            found.append({"role": "tool", "parts": [part]})
        else:
            found.append({"role": item.role, "parts": [{"type": "text", "content": item.text}]})
    return found


BODIES = {"anthropic": anthropic, "chat": chat, "responses": responses, "gemini": gemini}


# The doors: files, and the gateway.


def reading():
    return Reading(anatomy=True, digester=DIGESTER, count=lambda text, _: len(text))


def read(*paths, source=None):
    found = list(read_calls(paths, reading(), source=source))
    assert all(isinstance(call, Call) for call in found), found
    return sorted(found, key=lambda call: call.started)


def lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def recorded(dialect):
    """Recorded pairs of request and reply, in one file or in several."""

    def door(talk, folder, files=1):
        writer = Writer(talk.seed)
        names = [f"{name}.jsonl" for name in range(files)]
        found = {name: [] for name in names}
        for number, end in enumerate(talk.ends):
            request = writer.shuffled(BODIES[dialect](talk, talk.items[:end], writer))
            prompt = talk.prompt_tokens(number)
            reply = REPLIES[dialect](talk, number, prompt, writer)
            times = {"timestamp": stamp(number), "finished": stamp(number, 2)}
            record = {"request": request, "response": reply, "task": "t", **times}
            found[writer.random.choice(names)].append(record)
        paths = [lines(folder / name, records) for name, records in found.items() if records]
        return read(*paths, source="anthropic" if dialect == "anthropic" else "openai")

    return door


def anthropic_reply(talk, number, prompt, writer):
    (message,) = anthropic(talk, talk.reply(number), writer)["messages"]
    usage = {"input_tokens": prompt, "output_tokens": 20}
    said = {"id": f"msg_{number:024}", "type": "message", "role": "assistant", "stop_reason": "end_turn"}
    return said | {"model": MODELS["anthropic"], "content": message["content"], "usage": usage}


def chat_reply(talk, number, prompt, writer):
    (message,) = chat_messages(talk.reply(number), writer)
    usage = {"prompt_tokens": prompt, "completion_tokens": 20}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return {"id": f"chatcmpl-{number:024}", "object": "chat.completion", "model": "gpt-4o"} | {
        "choices": choices,
        "usage": usage,
    }


def responses_reply(talk, number, prompt, writer):
    usage = {"input_tokens": prompt, "output_tokens": 20}
    output = response_items(talk.reply(number), writer)
    return {"id": f"resp_{number:024}", "object": "response", "status": "completed", "model": "gpt-4o"} | {
        "output": output,
        "usage": usage,
    }


REPLIES = {"anthropic": anthropic_reply, "chat": chat_reply, "responses": responses_reply}


def gateway(dialect):
    """As a gateway process takes contexts and the ledger process places them."""

    def door(talk, folder):
        del folder
        writer, live, conversations = Writer(talk.seed), LiveContexts(DIGESTER), Conversations()
        names = {"anthropic": "anthropic-messages", "chat": "openai-chat", "responses": "openai-responses"}
        served = DIALECTS[names.get(dialect, "gemini-generate")]
        model = MODELS[dialect]
        calls = []
        for number, end in enumerate(talk.ends):
            body = json.dumps(writer.shuffled(BODIES[dialect](talk, talk.items[:end], writer)))
            context, uncounted = live.take(served, body.encode(), model)
            live.counted(context, [(part, Counts(len(text), {})) for part, text in uncounted])
            packed = msgspec.msgpack.decode(msgspec.msgpack.encode(context.parts), type=list[ContextPart])
            call = Call(
                call_id=f"gateway:{number}",
                source="gateway",
                provider={"anthropic": "anthropic", "gemini": "google"}.get(dialect, "openai"),
                model=model,
                started=at(number),
                finished=at(number, 2),
                usage=Usage(talk.prompt_tokens(number), output_visible=20),
                task="t",
                owner=Owner(key="k"),
            )
            calls.append(conversations.placed(call, packed, f"{number}"))
        return calls

    return door


def jsonl(shape):
    """Our own lines, with messages in any shape."""

    def door(talk, folder, files=1):
        writer = Writer(talk.seed)
        found = [[] for _ in range(files)]
        for number, end in enumerate(talk.ends):
            body = writer.shuffled(SHAPES[shape](talk, talk.items[:end], writer))
            messages = body.get("messages") or body.get("input") or body.get("contents")
            system = body.get("system") or body.get("instructions") or body.get("systemInstruction")
            line = {
                "modicum": 1,
                "call_id": f"m:{number}",
                "provider": "anthropic",
                "model": MODELS["anthropic"],
                "started": stamp(number),
                "finished": stamp(number, 2),
                "usage": {"input_uncached": talk.prompt_tokens(number), "output_visible": 20},
                "task": "t",
                "messages": messages,
                "tools": body["tools"],
                "system": system,
            }
            writer.random.choice(found).append(line)
        return read(*(lines(folder / f"{n}.jsonl", part) for n, part in enumerate(found) if part))

    return door


SHAPES = {**BODIES, "bedrock": bedrock}


def spans(talk, folder, files=1):
    """Spans of the convention since 1.37."""

    def told(talk, items, writer):
        instructions = [{"type": "text", "content": talk.system}]
        return {
            "gen_ai.input.messages": writer.text(telemetry(items)),
            "gen_ai.system_instructions": writer.text(instructions),
            "gen_ai.tool.definitions": writer.text(functions(talk, nested=False)),
        }

    return _spans(talk, folder, files, told)


def numbered_spans(talk, folder, files=1):
    """Spans of OpenInference, with a message in many attributes."""

    def told(talk, items, writer):
        found = {}
        messages = [{"role": "system", "content": talk.system}, *chat_messages(items, writer)]
        for place, message in enumerate(messages):
            name = f"llm.input_messages.{place}.message"
            found |= {f"{name}.{key}": message[key] for key in ("role", "content", "tool_call_id") if message.get(key)}
            for number, call in enumerate(message.get("tool_calls", ())):
                inner = f"{name}.tool_calls.{number}.tool_call"
                found |= {f"{inner}.id": call["id"], f"{inner}.function.name": call["function"]["name"]}
                found[f"{inner}.function.arguments"] = call["function"]["arguments"]
        for place, tool in enumerate(functions(talk, nested=True)):
            found[f"llm.tools.{place}.tool.json_schema"] = writer.text(tool)
        return found

    return _spans(talk, folder, files, told)


def _spans(talk, folder, files, told):
    writer = Writer(talk.seed)
    found = [[] for _ in range(files)]
    for number, end in enumerate(talk.ends):
        values = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": MODELS["anthropic"],
            "gen_ai.conversation.id": "t",
            **told(talk, talk.items[:end], writer),
        }
        counts = {"gen_ai.usage.input_tokens": talk.prompt_tokens(number), "gen_ai.usage.output_tokens": 20}
        attributes = [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]
        attributes += [{"key": name, "value": {"intValue": str(value)}} for name, value in counts.items()]
        span = {
            "traceId": f"{number + 1:032x}",
            "spanId": f"{number + 1:016x}",
            "name": "chat",
            "startTimeUnixNano": str(int(at(number).timestamp() * 1e9)),
            "endTimeUnixNano": str(int(at(number, 2).timestamp() * 1e9)),
            "attributes": attributes,
        }
        writer.random.choice(found).append({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    return read(*(lines(folder / f"{n}.jsonl", part) for n, part in enumerate(found) if part), source="otlp")


# Agents' own logs: they hold neither the schemas of tools nor, as a rule, the system prompt.


def turns(talk):
    """What came before each call, the call's number, and what it answered."""
    start = 0
    for number, end in enumerate(talk.ends):
        reply = talk.reply(number)
        yield number, talk.items[start:end], reply
        start = end + len(reply)


def claude_code(talk, folder):
    writer, rows, parent = Writer(talk.seed), [], None

    def row(kind, number, message):
        nonlocal parent
        name = f"u{len(rows)}"
        common = {"uuid": name, "parentUuid": parent, "sessionId": "t", "timestamp": stamp(number, kind == "assistant")}
        rows.append(common | {"type": kind, "message": message})
        parent = name

    for number, came, _ in turns(talk):
        for message in anthropic(talk, came, writer)["messages"]:
            row("user", number, message)
        row("assistant", number, anthropic_reply(talk, number, talk.prompt_tokens(number), writer))
    return read(lines(folder / "s.jsonl", rows), source="claude-code")


def codex(talk, folder):
    writer = Writer(talk.seed)
    base = {"text": talk.system}
    tools = [{"name": n, "description": d, "inputSchema": schema} for n, d, schema in talk.tools]
    meta = {"id": "t", "model_provider": "openai", "base_instructions": base, "dynamic_tools": tools}
    rows = [{"type": "session_meta", "timestamp": stamp(0), "payload": meta}]
    rows.append({"type": "turn_context", "timestamp": stamp(0), "payload": {"model": "gpt-4o"}})
    total = 0
    for number, came, reply in turns(talk):
        said = [*response_items(came, writer), *response_items(reply, writer)]
        rows += [
            {"type": "response_item", "timestamp": stamp(number), "payload": writer.shuffled(item)} for item in said
        ]
        total += talk.prompt_tokens(number)
        info = {
            "total_token_usage": {"input_tokens": total, "output_tokens": 20 * (number + 1)},
            "last_token_usage": {"input_tokens": talk.prompt_tokens(number), "output_tokens": 20},
        }
        count = {"type": "token_count", "info": info}
        rows.append({"type": "event_msg", "timestamp": stamp(number, 2), "payload": count})
    return read(lines(folder / "rollout.jsonl", rows), source="codex")


def qwen_code(talk, folder):
    rows, parent = [], None

    def row(kind, number, role, items, **more):
        nonlocal parent
        name = f"u{len(rows)}"
        message = {"role": role, "parts": [gemini_parts(item) for item in items]}
        common = {"uuid": name, "parentUuid": parent, "sessionId": "t", "timestamp": stamp(number), "type": kind}
        rows.append(common | {"message": message} | more)
        parent = name

    for number, came, reply in turns(talk):
        row("user", number, "user", came)
        counts = {"promptTokenCount": talk.prompt_tokens(number), "candidatesTokenCount": 20}
        row("assistant", number, "model", reply, model="qwen3-coder-plus", usageMetadata=counts)
    return read(lines(folder / "q.jsonl", rows), source="qwen-code")


def gemini_cli(talk, folder):
    messages, results = [], {item.call: item for item in talk.items if item.role == "result"}
    for number, came, reply in turns(talk):
        for item in came:
            if item.role == "user":
                name = f"m{len(messages)}"
                messages.append({"id": name, "timestamp": stamp(number), "type": "user", "content": item.text})
        calls = [
            {
                "id": item.call,
                "name": item.tool,
                "args": item.arguments,
                "status": "error" if results[item.call].is_error else "success",
                "result": [gemini_parts(results[item.call])],
            }
            for item in reply
            if item.role == "call" and item.call in results
        ]
        tokens = {"input": talk.prompt_tokens(number), "output": 20}
        said = "".join(item.text for item in reply if item.role == "assistant")
        common = {"id": f"m{len(messages)}", "timestamp": stamp(number, 2), "type": "gemini", "content": said}
        messages.append(common | {"toolCalls": calls, "tokens": tokens, "model": MODELS["gemini"]})
    path = folder / "session.json"
    path.write_text(json.dumps({"sessionId": "t", "projectHash": "c0ffee", "messages": messages}))
    return read(path, source="gemini-cli")


def opencode(talk, folder):
    results = {item.call: item for item in talk.items if item.role == "result"}
    messages, parts = [], []

    def add(data, *inner):
        name = f"msg_{len(messages):03}"
        messages.append((name, "t", json.dumps(data)))
        parts.extend((f"prt_{len(parts) + n:05}", name, json.dumps(part)) for n, part in enumerate(inner))

    for number, came, reply in turns(talk):
        milliseconds = int(at(number).timestamp() * 1000)
        for item in came:
            if item.role == "user":
                add({"role": "user", "time": {"created": milliseconds}}, {"type": "text", "text": item.text})
        tokens = {"input": talk.prompt_tokens(number), "output": 20}
        data = {"role": "assistant", "tokens": tokens, "modelID": MODELS["anthropic"], "providerID": "anthropic"}
        times = {"created": milliseconds, "completed": milliseconds + 2000}
        inner = []
        for item in reply:
            if item.role == "assistant":
                inner.append({"type": "text", "text": item.text})
            elif item.call in results:
                result = results[item.call]
                answer = {"error": result.text} if result.is_error else {"output": result.text}
                state = {"status": "error" if result.is_error else "completed", "input": item.arguments, **answer}
                inner.append({"type": "tool", "tool": item.tool, "callID": item.call, "state": state})
        add(data | {"time": times}, *inner)
    path = folder / "opencode.db"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE session (id TEXT PRIMARY KEY, parent_id TEXT)")
        base.execute("CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT)")
        base.execute("CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, data TEXT)")
        base.execute("INSERT INTO session VALUES ('t', NULL)")
        base.executemany("INSERT INTO message VALUES (?, ?, ?)", messages)
        base.executemany("INSERT INTO part VALUES (?, ?, ?)", parts)
    return read(path, source="opencode")


WHOLE = {
    **{f"recorded {dialect}": recorded(dialect) for dialect in REPLIES},
    **{f"gateway {dialect}": gateway(dialect) for dialect in BODIES},
    **{f"jsonl {shape}": jsonl(shape) for shape in SHAPES},
    "spans": spans,
    "numbered spans": numbered_spans,
}
"""Doors that carry the whole context, tools and system prompt included."""
SPLIT = {name: door for name, door in WHOLE.items() if not name.startswith("gateway")}
"""Those that may lie in several files."""
AGENTS = {
    "claude-code": claude_code,
    "codex": codex,
    "qwen-code": qwen_code,
    "gemini-cli": gemini_cli,
    "opencode": opencode,
}
"""Agents' logs: what was said, and of the rest nothing or an estimate."""
ONE_CALL_A_ROUND = {"gemini-cli", "opencode"}
"""Logs that put each result behind its call: of calls made at once they do not tell the order in the prompt."""
NO_ERRORS = ("chat", "responses", "codex", "spans")
"""Doors without a place for the failure of a tool."""
FRONT = {SegmentKind.SYSTEM, SegmentKind.TOOL_SCHEMA, SegmentKind.PREFIX, SegmentKind.UNLOGGED}


def contexts(calls):
    """The whole context of each call, from the changes that the ledger books."""
    found, before = [], []
    for call in calls:
        assert call.anatomy.kept_segments <= len(before)
        before = [*before[: call.anatomy.kept_segments], *call.anatomy.added]
        found.append(before)
    return found


def shown(part, *, tokens=True):
    """What is the same through every door."""
    assert part.basis is Basis.ESTIMATED
    return part.kind.value, part.tool, part.digest.hex(), part.detail.hex(), part.tokens if tokens else None
