"""CPU of the wire dialects: microseconds per request, reply and stream, beside decoding all of it with json.

No network and no data: bodies are made here. Medians of rounds in turn, CPU time of this process.
"""

import argparse
import json
import statistics
import time

import msgspec

import measured
from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.providers.translation.translations import TRANSLATIONS

ROUNDS = 9
CREATED = 1763800000
SENTENCE = "The tide comes in at noon, and goes out again before the boats are home - naïve, isn't it?\n"
CHAT, ANTHROPIC = DIALECTS["openai-chat"], DIALECTS["anthropic-messages"]


def conversation(kilobytes, **fields):
    message = {"role": "user", "content": SENTENCE * (950 // len(SENTENCE.encode()))}
    return msgspec.json.encode({"model": "gpt-5", "messages": [message] * kilobytes, **fields})


def stream(dialect, **fields):
    request = {
        "model": "m",
        "stream": True,
        "max_tokens": 500,
        "messages": [{"role": "user", "content": "hi"}],
        **fields,
    }
    wanted = MockOptions(output_tokens=100, chunks=18)
    return MockProvider().answer(dialect, msgspec.json.encode(request), "", wanted, CREATED).parts


def tailed(dialect, parts, *, usage_asked=True):
    tail = dialect.tail(usage_asked)
    for part in parts:
        tail.feed(part)
    tail.end()
    return tail.facts()


def translated(pair, parts):
    translation = TRANSLATIONS[pair].stream(usage_asked=True, created=CREATED)
    return [translation.feed(part) for part in parts], translation.end()


def decoded(parts):
    """What one would write first: every line of every chunk decoded."""
    for part in parts:
        for line in part.split(b"\n"):
            if line.startswith(b"data: {"):
                json.loads(line[6:])


def cases():
    small, large = conversation(1, stream=True), conversation(100, stream=True)
    asked = {"stream_options": {"include_usage": True}}
    chat, messages = stream(CHAT, **asked), stream(ANTHROPIC)
    broken = chat[:-2]
    reply = b"".join(MockProvider().answer(CHAT, conversation(1), "", MockOptions(output_tokens=150), CREATED).parts)
    crossing = conversation(1, max_tokens=100)
    return {
        "request_1kb_us": lambda: CHAT.request(small, "/v1/chat/completions"),
        "request_1kb_json_us": lambda: json.loads(small),
        "request_100kb_us": lambda: CHAT.request(large, "/v1/chat/completions"),
        "segments_1kb_us": lambda: CHAT.segments(small),
        "segments_100kb_us": lambda: CHAT.segments(large),
        "usage_asked_1kb_us": lambda: CHAT.with_usage_asked(small),
        "reply_1kb_us": lambda: CHAT.reply(reply),
        "reply_1kb_json_us": lambda: json.loads(reply),
        "stream_22_chunks_us": lambda: tailed(CHAT, chat),
        "stream_22_chunks_usage_removed_us": lambda: tailed(CHAT, chat, usage_asked=False),
        "stream_22_chunks_broken_off_us": lambda: tailed(CHAT, broken),
        "stream_22_chunks_json_us": lambda: decoded(chat),
        "stream_anthropic_us": lambda: tailed(ANTHROPIC, messages),
        "stream_anthropic_json_us": lambda: decoded(messages),
        "translate_request_1kb_us": lambda: TRANSLATIONS["openai-chat", "anthropic-messages"].request(crossing, "m"),
        "translate_stream_to_openai_us": lambda: translated(("openai-chat", "anthropic-messages"), messages),
        "translate_stream_to_anthropic_us": lambda: translated(("anthropic-messages", "openai-chat"), chat),
    }, {"stream_chunks": len(chat), "stream_bytes": sum(map(len, chat)), "stream_anthropic_events": len(messages)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--data", help="not used")
    asked = arguments.parse_args()
    measurable, facts = cases()
    times = {name: [] for name in measurable}
    for _ in range(ROUNDS):
        for name, work in measurable.items():
            count = 40 if "100kb" in name else 400
            started = time.process_time()
            for _ in range(count):
                work()
            times[name].append((time.process_time() - started) / count * 1e6)
    figures = {name: round(statistics.median(values), 1) for name, values in times.items()}
    measured.report({"machine": measured.machine(), **facts, **figures}, as_json=asked.json)


if __name__ == "__main__":
    main()
