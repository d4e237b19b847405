"""Agents for trials: small scripts that print the reply of a provider, with usage as the tests want it."""

import json
import sys

AGENT = """
import json, sys, time
task, arm = sys.argv[1], sys.argv[2:]
if task == "hangs":
    time.sleep(600)
tokens = 100 * (1 + int(task[1:] or 0)) // (2 if "short" in arm else 1)
usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10}
reply = {"id": f"{task}-{arm}", "object": "chat.completion", "created": 1790000000, "model": "gpt-4o-mini",
         "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "done"}}],
         "usage": usage}
print(json.dumps(reply))
sys.exit(1 if "wrong" in arm else 0)
"""


def agent(folder):
    """The command of an agent in that folder."""
    path = folder / "agent.py"
    path.write_text(AGENT)
    return [sys.executable, str(path)]


def task_file(folder, names):
    path = folder / "tasks.jsonl"
    path.write_text("".join(json.dumps({"task": name}) + "\n" for name in names))
    return path
