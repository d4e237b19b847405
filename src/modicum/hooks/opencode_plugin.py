"""The plugin for opencode: a file of JavaScript that hands each tool's result to the hooks, and takes what they answer.

opencode (V1) loads every file of its folder of plugins. Whatever fails there, or takes too long, leaves the result as
it is.
"""

import json
from pathlib import Path

from modicum import __version__

_SOURCE = """\
// Written by modicum {version}: 'modicum hooks remove opencode' deletes it. It changes results of tools only where
// 'modicum hooks act opencode' said so, runs nothing but the command below, and needs no network.
import {{ execFile }} from "node:child_process"

const COMMAND = {command}
const FOLDER = {folder}
const LEAST = {least}

const ask = (what, event) =>
  new Promise((resolve) => {{
    try {{
      const options = {{ timeout: {timeout_ms}, maxBuffer: 1 << 26, windowsHide: true }}
      const words = [...COMMAND.slice(1), what, "opencode", FOLDER]
      const child = execFile(COMMAND[0], words, options, (error, answer) => resolve(error ? "" : answer))
      child.stdin.on("error", () => {{}})
      child.stdin.end(JSON.stringify(event))
    }} catch {{
      resolve("")
    }}
  }})

export const Modicum = async () => ({{
  "tool.execute.after": async (input, output) => {{
    try {{
      const text = output?.output
      if (typeof text !== "string" || text.length < LEAST) return
      const event = {{ session_id: input.sessionID, tool_name: input.tool, tool_use_id: input.callID }}
      const answer = await ask("after-tool", {{ ...event, tool_input: input.args, tool_response: text }})
      const shorter = answer ? JSON.parse(answer).output : undefined
      if (typeof shorter === "string" && shorter.length < text.length) output.output = shorter
    }} catch {{}}
  }},
  event: async ({{ event }}) => {{
    try {{
      if (event.type !== "session.created" && event.type !== "session.compacted") return
      const session = event.properties?.sessionID ?? event.properties?.info?.id
      if (session) await ask("new-session", {{ session_id: session }})
    }} catch {{}}
  }},
}})
"""


def plugin_source(command: list[str], folder: Path, timeout_ms: int, least_characters: int) -> str:
    """The file's text.

    Args:
        command: that answers events; the event's name, the agent's and the folder come behind it.
        folder: of the hooks.
        timeout_ms: after which it is given up.
        least_characters: of a result; a shorter one starts nothing.
    """
    return _SOURCE.format(
        version=__version__,
        command=json.dumps(command),
        folder=json.dumps(str(folder)),
        timeout_ms=timeout_ms,
        least=least_characters,
    )
