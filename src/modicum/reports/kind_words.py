"""What people read for the kinds of segments; `--json` has the words of the ledger."""

_NAMES = {
    "prefix": "system prompt and tools",
    "system": "system prompt",
    "tool_schema": "tool schemas",
    "tool_result": "tool results",
    "tool_call": "tool calls",
    "user": "what users wrote",
    "assistant": "earlier replies",
    "reasoning": "earlier reasoning",
    "document": "documents",
    "summary": "summaries after compaction",
    "image": "images",
    "unlogged": "not in the log",
    "(completions)": "replies (output)",
    "(web searches)": "web searches",
    "(prompts without anatomy)": "prompts of unknown content",
}


def name_of_kind(kind: str) -> str:
    """`system prompt and tools` for `prefix`."""
    return _NAMES.get(kind, kind)
