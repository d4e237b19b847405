"""Events as agents document them."""

import json

LOG = "\n".join(
    f"2026-11-30 09:{number % 60:02}:00 INFO request {number} served in {number} ms" for number in range(200)
)
ROWS = json.dumps([{"id": number, "name": f"tide {number}", "metres": number / 10} for number in range(60)], indent=2)


def claude(tool="Bash", response=None, session="s-1", call="toolu_1", **fields):
    response = {"stdout": LOG, "stderr": "", "interrupted": False, "isImage": False} if response is None else response
    event = {
        "session_id": session,
        "transcript_path": "/nowhere.jsonl",
        "cwd": "/",
        "permission_mode": "default",
        "hook_event_name": "PostToolUse",
        "tool_name": tool,
        "tool_input": {"command": "cat server.log"},
        "tool_response": response,
        "tool_use_id": call,
        **fields,
    }
    return json.dumps(event).encode()


def read_of(text):
    lines = text.count("\n") + 1
    file = {"filePath": "/a.py", "content": text, "numLines": lines, "startLine": 1, "totalLines": lines}
    return {"type": "text", "file": file}


def gemini(text=LOG, tool="run_shell_command", **fields):
    event = {
        "session_id": "g-1",
        "hook_event_name": "AfterTool",
        "tool_name": tool,
        "tool_input": {"command": "cat server.log"},
        "tool_response": {"llmContent": text, "returnDisplay": text},
        **fields,
    }
    return json.dumps(event).encode()
