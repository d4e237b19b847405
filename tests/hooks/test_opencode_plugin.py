"""opencode's plugin, run by Node as opencode runs it: its functions are called with what its documentation says."""

import json
import shutil
import subprocess
import sys

import pytest

from hooks.events import LOG
from modicum.calls import UserError
from modicum.hooks import installing
from modicum.hooks.agents import AGENTS
from modicum.hooks.opencode_plugin import plugin_source
from modicum.hooks.policy import HookPolicy, write_policy

OPENCODE = AGENTS["opencode"]
NODE = shutil.which("node")
PATIENT = """
import sys
from modicum.hooks.running import run
sys.stdout.write(run(sys.argv[1:], sys.stdin.buffer.read(), work_s=60))
"""
"""As `python -m modicum.hooks`, and not after 50 ms gone."""
CALLS = """
import {{ Modicum }} from {file}
const hooks = await Modicum({{}})
const out = []
for (const output of JSON.parse(process.argv[2])) {{
  await hooks["tool.execute.after"]({{ tool: "bash", sessionID: "s", callID: "c", args: {{ command: "x" }} }}, output)
  out.push(output)
}}
await hooks.event({{ event: {{ type: "session.compacted", properties: {{ sessionID: "s" }} }} }})
await hooks.event({{}})
await hooks["tool.execute.after"](undefined, {{ output: "x".repeat(5000) }})
console.log(JSON.stringify(out))
"""


def run(source, outputs, tmp_path):
    (tmp_path / "modicum.mjs").write_text(source)
    (tmp_path / "calls.mjs").write_text(CALLS.format(file=json.dumps(str(tmp_path / "modicum.mjs"))))
    done = subprocess.run(
        [NODE, str(tmp_path / "calls.mjs"), json.dumps(outputs)], capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(NODE is None, reason="there is no Node here")
def test_results_come_back_shorter_where_the_hooks_act(tmp_path):
    folder = tmp_path / 'it\'s \\ "ours"'
    write_policy(folder, "opencode", HookPolicy(b"key", ("content.log_fold",), 0.0))
    source = plugin_source([sys.executable, "-c", PATIENT], folder, 60_000, 1_000)
    mcp = {"content": [{"type": "text", "text": LOG}]}

    long, short, other = run(source, [{"output": LOG, "title": "t"}, {"output": "ok"}, mcp], tmp_path)

    assert "(x200)" in long["output"]
    assert (long["title"], short, other) == ("t", {"output": "ok"}, mcp)


@pytest.mark.skipif(NODE is None, reason="there is no Node here")
@pytest.mark.parametrize(
    "command",
    [["/nowhere/python"], [sys.executable, "-c", "print('[]')"], [sys.executable, "-c", "raise SystemExit(3)"]],
    ids=["no such program", "another answer", "an error"],
)
def test_whatever_fails_leaves_the_result(tmp_path, command):
    source = plugin_source(command, tmp_path, 30_000, 1_000)

    assert run(source, [{"output": LOG}], tmp_path) == [{"output": LOG}]


@pytest.mark.skipif(NODE is None, reason="there is no Node here")
def test_a_hook_that_hangs_is_given_up(tmp_path):
    source = plugin_source([sys.executable, "-c", "import threading; threading.Event().wait()"], tmp_path, 50, 1_000)

    assert run(source, [{"output": LOG}], tmp_path) == [{"output": LOG}]


def test_the_file_comes_and_goes_and_anothers_stays(tmp_path):
    file = installing.settings_file(OPENCODE, tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "c")})
    assert file == tmp_path / "c" / "opencode" / "plugins" / "modicum.js"
    assert installing.settings_file(OPENCODE, tmp_path, {}) == tmp_path.joinpath(*OPENCODE.file)
    folder = tmp_path / "modicum"

    def plan():
        return installing.plan_hooks(OPENCODE, file, folder, "/opt/m/bin/python", with_status_line=True)

    installing.install(plan(), folder)
    assert '["/opt/m/bin/python", "-I", "-m", "modicum.hooks"]' in file.read_text()
    with pytest.raises(UserError, match="is there already"):
        plan()
    file.write_text(file.read_text() + "// changed\n")
    with pytest.raises(UserError, match="was changed since"):
        installing.remove(OPENCODE, folder)
    installing.remove(OPENCODE, folder, only_ours=True)
    assert not file.exists()
    installing.install(plan(), folder)
    installing.remove(OPENCODE, folder)
    assert not file.exists()


def test_files_keep_their_lines():
    event = {"tool_name": "read", "tool_response": "text", "session_id": "s"}

    assert not OPENCODE.read(event).may_shorten
    assert OPENCODE.read({**event, "tool_name": "bash"}).may_shorten
    assert OPENCODE.read({**event, "tool_response": {"of": "another version"}}) is None
