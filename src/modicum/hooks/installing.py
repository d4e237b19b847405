"""Puts hooks into an agent's settings of the user, and takes them out again to the byte. For the command line."""

import base64
import json
import secrets
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from modicum import __version__
from modicum.calls import UserError
from modicum.calls.outside.user_file import digest_of, is_in_repository, replace_user_file
from modicum.hooks.__main__ import LEAST_BYTES
from modicum.hooks.agents import HookedAgent
from modicum.hooks.opencode_plugin import plugin_source
from modicum.hooks.policy import HookPolicy, forget_policy, read_policy, write_policy, write_private

MARK = "modicum.hooks"
"""In every command of ours."""


class HookPlan(NamedTuple):
    """What an installation would write."""

    agent: HookedAgent
    file: Path
    before: bytes | None
    """The file as it is; None: there is none."""
    after: bytes
    added: Mapping[str, Any]
    """What is new in it."""
    left_out: str = ""
    """What could not be added, and why."""


def settings_file(agent: HookedAgent, home: Path, environment: Mapping[str, str]) -> Path:
    """The user's settings of an agent, behind links.

    Raises:
        UserError: the file belongs to a repository, whose other users would get the hooks too.
    """
    folder = environment.get(agent.folder_variable) if agent.folder_variable else None
    file = Path(folder, *agent.file[-agent.parts_below_variable :]) if folder else home.joinpath(*agent.file)
    file = file.resolve()
    if file.exists() and is_in_repository(file):
        raise UserError(
            f"{file} is a file of a git repository, which others may share: hooks go into files of a user only"
        )
    return file


def plan_hooks(agent: HookedAgent, file: Path, folder: Path, python: str, *, with_status_line: bool) -> HookPlan:
    """What would be written. Nothing is, yet.

    Args:
        agent: whose settings they are.
        file: its settings.
        folder: where the hooks keep policy, memory and records.
        python: the interpreter that has modicum, by its absolute path.
        with_status_line: whether Claude Code's is to show spend and cache.

    Raises:
        UserError: the file is no JSON object that can be added to, or has hooks of ours already.
    """
    before = file.read_bytes() if file.exists() else None
    if agent.is_plugin:
        return _plan_plugin(agent, file, folder, python, before)
    settings = _settings_in(file, before)
    if before is not None and MARK.encode() in before:
        raise UserError(
            f"{file} has hooks of a modicum already: 'modicum hooks remove {agent.name}' with the modicum that put "
            "them there"
        )
    added: dict[str, Any] = {"hooks": {}}
    hooks = settings.setdefault("hooks", {})
    for event, what in ((agent.after_tool, "after-tool"), ("SessionStart", "new-session")):
        entry = {"type": "command", "command": _command(python, what, agent, folder), "timeout": agent.timeout}
        group = {"matcher": "*", "hooks": [entry]} if event == agent.after_tool else {"hooks": [entry]}
        groups = hooks.setdefault(event, []) if isinstance(hooks, dict) else None
        if not isinstance(groups, list):
            raise UserError(f"{file}: 'hooks' has not the shape that {agent.title} documents, so nothing is added")
        groups.append(group)
        added["hooks"][event] = [group]
    left_out = ""
    if with_status_line and agent.has_status_line:
        if "statusLine" in settings:
            left_out = "statusLine: you have one already, and it stays"
        else:
            line = {"type": "command", "command": _command(python, "status-line", agent, folder)}
            settings["statusLine"] = added["statusLine"] = line
    after = (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode()
    return HookPlan(agent, file, before, after, added, left_out)


def _plan_plugin(agent: HookedAgent, file: Path, folder: Path, python: str, before: bytes | None) -> HookPlan:
    if before is not None:
        raise UserError(
            f"{file} is there already: 'modicum hooks remove {agent.name}' with the modicum that wrote it, or move it "
            "away"
        )
    source = plugin_source(_program(python), folder, agent.timeout, LEAST_BYTES)
    return HookPlan(agent, file, before, source.encode(), {"a new file": source.splitlines()})


def install(plan: HookPlan, folder: Path) -> None:
    """Writes the settings. What they were is kept first, so that they can be restored whatever happens.

    Raises:
        UserError: the file has changed since the plan was made.
    """
    if (plan.file.read_bytes() if plan.file.exists() else None) != plan.before:
        raise UserError(f"{plan.file} was changed meanwhile: try again")
    record = {
        "version": __version__,
        "file": str(plan.file),
        "before": None if plan.before is None else base64.b64encode(plan.before).decode(),
        "after": digest_of(plan.after),
    }
    write_private(_record_place(folder, plan.agent), json.dumps(record).encode())
    if read_policy(folder, plan.agent.name) is None:
        write_policy(folder, plan.agent.name, HookPolicy(secrets.token_bytes(32)))
    replace_user_file(plan.file, plan.after)


def remove(agent: HookedAgent, folder: Path, *, only_ours: bool = False) -> Path:
    """Restores the settings to the byte. What was recorded stays; the hooks know nothing any more.

    Args:
        agent: whose hooks go.
        folder: of the hooks.
        only_ours: where the file was changed since, takes our entries out of it and leaves all else, which is written
            anew.

    Raises:
        UserError: nothing is installed, or the file was changed since.
    """
    place = _record_place(folder, agent)
    try:
        record = json.loads(place.read_bytes())
        file, before, digest = Path(record["file"]), record["before"], record["after"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"no hooks of this modicum are in the settings of {agent.title}") from None
    content = file.read_bytes() if file.exists() else None
    if content is not None and digest_of(content) != digest:
        if agent.is_plugin and only_ours:
            file.unlink()
        elif not only_ours:
            raise UserError(
                f"{file} was changed since the hooks came, so its former bytes are not put back: "
                f"'modicum hooks remove {agent.name} --only-ours' takes our entries out, or delete those that name "
                f"'{MARK}' by hand"
            )
        else:
            replace_user_file(file, _without_ours(_settings_in(file, content)))
    elif content is not None:
        if before is None:
            file.unlink()
        else:
            replace_user_file(file, base64.b64decode(before))
    forget_policy(folder, agent.name)
    shutil.rmtree(folder / "sessions", ignore_errors=True)
    place.unlink()
    return file


def installed_by(folder: Path, agent: HookedAgent) -> str:
    """The version that put the hooks there; empty: none did."""
    try:
        return str(json.loads(_record_place(folder, agent).read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _without_ours(settings: dict[str, Any]) -> bytes:
    hooks = settings.get("hooks")
    if isinstance(hooks, dict):
        for event, groups in list(hooks.items()):
            if isinstance(groups, list) and MARK in json.dumps(groups):
                hooks[event] = [group for group in groups if MARK not in json.dumps(group)]
                if not hooks[event]:
                    del hooks[event]
    if hooks == {}:
        del settings["hooks"]
    if MARK in json.dumps(settings.get("statusLine")):
        del settings["statusLine"]
    return (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode()


def _settings_in(file: Path, content: bytes | None) -> dict[str, Any]:
    if content is None or not content.strip():
        return {}
    try:
        settings = json.loads(content)
    except ValueError as error:
        raise UserError(f"{file} is no plain JSON ({error}), so nothing is changed in it") from None
    if not isinstance(settings, dict):
        raise UserError(f"{file} is no JSON object, so nothing is changed in it")
    return settings


def _command(python: str, what: str, agent: HookedAgent, folder: Path) -> str:
    return shlex.join([*_program(python), what, agent.name, str(folder)])


def _program(python: str) -> list[str]:
    # -I: nothing of the folder that the agent works in, nor of its environment, is imported.
    return [python, "-I", "-m", MARK]


def _record_place(folder: Path, agent: HookedAgent) -> Path:
    return folder / f"{agent.name}.installed.json"
