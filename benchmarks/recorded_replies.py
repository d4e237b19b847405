"""Replies of real providers with their usage, out of the recordings that pydantic-ai's tests replay (MIT).

Used by bench_tokens.py: `git clone https://github.com/pydantic/pydantic-ai DIR`. Only replies that are text alone: what
the provider counted as output is that text (thoughts are counted apart by Gemini; Claude's replies with them are left
out).
"""

from pathlib import Path

MOST_BYTES = 2_000_000


def read_replies(folder: Path):
    """(model, text, the provider's count of it) of each reply, each text once."""
    seen = set()
    for path in sorted(folder.rglob("cassettes/**/*.yaml")):
        if path.stat().st_size > MOST_BYTES:
            continue
        for reply in replies_of(path.read_bytes()):
            if reply not in seen:
                seen.add(reply)
                yield reply


def replies_of(recording: bytes):
    import yaml

    if b"usageMetadata" not in recording and b"claude" not in recording:
        return
    document = yaml.load(recording, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for exchange in document.get("interactions", []):
        answer = (exchange.get("response") or {}).get("parsed_body")
        if isinstance(answer, dict):
            yield from gemini_reply(answer)
            yield from claude_reply(answer)


def gemini_reply(answer):
    usage = answer.get("usageMetadata") or {}
    candidates = answer.get("candidates") or [{}]
    parts = (candidates[0].get("content") or {}).get("parts") or []
    counted = usage.get("candidatesTokenCount")
    if counted and len(candidates) == 1 and parts and all(set(part) <= {"text", "thoughtSignature"} for part in parts):
        text = "".join(part.get("text", "") for part in parts)
        if text:
            yield answer.get("modelVersion", "gemini"), text, counted


def claude_reply(answer):
    blocks, usage = answer.get("content"), answer.get("usage")
    if "claude" not in str(answer.get("model")) or not isinstance(blocks, list) or not isinstance(usage, dict):
        return
    plain = all(block.get("type") == "text" and not block.get("citations") for block in blocks)
    if blocks and plain and answer.get("stop_reason") == "end_turn" and usage.get("output_tokens"):
        yield answer["model"], "".join(block["text"] for block in blocks), usage["output_tokens"]
