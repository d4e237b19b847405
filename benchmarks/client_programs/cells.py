"""What every program of a client does: its cells one after the other, each with a key of its own, a line of JSON each.

A cell returns the client's own count of tokens, as {"input", "output"}, with the id of the request where the client
shows one. This file runs under the client's own Python and imports nothing but the standard library.
"""

import json
import os
import sys
import traceback

BASE = os.environ.get("MODICUM_URL", "")
MODELS = {"openai": "gpt-5", "anthropic": "claude-opus-4-6", "google": "gemini-2.5-flash"}
SLOW = {"x-mock-chunk-delay-ms": "150", "x-mock-output-tokens": "60", "x-mock-chunks": "40"}
BUSY = {"x-mock-fault": "rate_limited"}
QUESTION = "What is the tide in Kiel?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Kiel"]}},
    "required": ["city"],
    "additionalProperties": False,
}


def run(cells, version):
    """Runs the cells. `version` is of the client."""
    keys = json.loads(os.environ["MODICUM_KEYS"])
    for name, cell in cells.items():
        found = {"cell": name, "version": version}
        try:
            found |= {"ok": True, "usage": cell(keys[name]) or {}}
        except Exception as error:  # noqa: BLE001 - it is the result of the cell
            traceback.print_exc(file=sys.stderr)
            found |= {"ok": False, "why": f"{type(error).__name__}: {error}"[:400]}
        print(json.dumps(found), flush=True)


def counted(given, made, request_id=None):
    return {"input": given or 0, "output": made or 0, "request_id": request_id}


def expect(error, work):
    """The work fails in this way."""
    try:
        work()
    except error as raised:
        return raised
    raise AssertionError(f"no {error.__name__}")
