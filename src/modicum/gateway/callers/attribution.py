"""What a call is for: task, agent, team and the like, from headers and the request's own metadata.

`x-modicum-task: PR-12` says it in our words. The usual names of the field are understood too, so that programs which
already tag their calls need no change: of several the one that stands first in `_NAMES`.

A session is the task where nothing more explicit is said, and no conversation: the agents of a session, its subagents
and its small side calls have contexts of their own, which are told apart by what is in them. The session of a subagent
that names its parent's is the agent within the parent's.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from modicum.calls import Owner
from modicum.experiments.experiment import TAG as EXPERIMENT_TAG
from modicum.governance.agent_tree import MAIN_AGENT, Lineage
from modicum.governance.budgets import COUNTED_TAG, RESERVED_TAG
from modicum.privacy.tags import is_reserved
from modicum.providers.facts import RequestFacts
from modicum.providers.opentelemetry.traceparent import TAG as TRACE_TAG
from modicum.providers.opentelemetry.traceparent import parsed

MOST_CHARACTERS = 200
MOST_TAGS = 16
CREDENTIAL_TAG = "credential"
"""Whose calls are paid by a plan (`plan`), and not by the token."""


class Attribution(NamedTuple):
    owner: Owner
    task: str
    conversation: str
    """Empty where nothing names it: it is then found by its context."""
    agent: str
    project: str
    tags: dict[str, str]
    lineage: Lineage = MAIN_AGENT
    """Which agent has started it, as far as its client says so."""


_THREAD_ABOVE = b"x-codex-parent-thread-id"
"""Codex: then `x-openai-subagent` says of which kind an agent is, and its thread which one."""
# What we call it; the headers that say so; the names in `metadata` that say so.
_NAMES: dict[str, tuple[tuple[bytes, ...], tuple[str, ...]]] = {
    "task": (
        (
            b"x-modicum-task",
            b"x-task-id",
            b"x-roo-task-id",
            b"helicone-session-id",
            b"x-portkey-trace-id",
            b"x-litellm-trace-id",
        ),
        ("task", "task_id", "trace_id", "ticket", "issue"),
    ),
    "session": (
        (
            b"x-claude-code-session-id",
            b"session-id",  # Codex
            b"session_id",  # Codex, as it was
            b"x-opencode-session",
            b"x-qwen-code-session-id",
            b"x-session-id",
            b"x-litellm-session-id",
        ),
        ("session_id", "session"),
    ),
    "parent_session": ((b"x-parent-session-id",), ("parent_session_id",)),
    "conversation": (
        (b"x-modicum-conversation", b"thread-id", b"conversation_id", b"x-conversation-id"),
        ("conversation", "conversation_id", "thread_id"),
    ),
    "agent": (
        (
            b"x-modicum-agent",
            b"x-claude-code-agent-id",
            b"x-openai-subagent",
            b"helicone-property-agent",
            b"x-agent-id",
        ),
        ("agent", "agent_name", "agent_id"),
    ),
    "team": ((b"x-modicum-team", b"helicone-property-team"), ("team", "team_id")),
    "app": ((b"x-modicum-app", b"x-title", b"helicone-property-app"), ("app", "app_name")),
    "user": ((b"x-modicum-user", b"helicone-user-id"), ("user", "user_id", "trace_user_id", "_user")),
    "project": ((b"x-modicum-project",), ("project", "project_id")),
    "step": ((b"x-modicum-step",), ("step", "generation_name")),
    "run": ((b"x-modicum-run",), ()),
    "round": ((b"x-modicum-round",), ()),
    "parent": ((b"x-modicum-parent", b"x-claude-code-parent-agent-id", _THREAD_ABOVE), ()),
    "agent_team": ((b"x-modicum-agent-team",), ()),
    "feature": ((b"x-modicum-feature", b"helicone-property-feature"), ("feature",)),
}
_HEADER_TO_NAME = {header: name for name, (headers, _) in _NAMES.items() for header in headers}
_RANK = {header: rank for headers, _ in _NAMES.values() for rank, header in enumerate(headers)}
_FIELDS = {field for _, fields in _NAMES.values() for field in fields}
_TAG = b"x-modicum-tag-"
_TRACE = b"traceparent"
_ANY_SESSION = b"-session-id"
"""How other agents' headers end that name a session: x-NAME-session-id."""
_TAGS = ("step", "feature", "run", "round", "parent", "agent_team")
"""What has no column of its own in the ledger. `run`, `round`, `parent` and `agent_team` make calls the turns of a team
of agents; `team` is who pays."""


def attribution(headers: Mapping[bytes, bytes], facts: RequestFacts, owner: Owner) -> Attribution:
    """What headers and metadata say. A key's own team, app and user stand: a caller cannot spend as somebody else."""
    declared: dict[str, str] = {}
    ranks: dict[str, int] = {}
    other_session = ""
    tags: dict[str, str] = {}
    for header, value in headers.items():
        name = _HEADER_TO_NAME.get(header)
        if name is not None:
            if name not in declared or _RANK[header] < ranks[name]:
                declared[name], ranks[name] = _text(value), _RANK[header]
        elif header == _TRACE or header.startswith(_TAG):
            _tag(header, value, tags)
        elif header.endswith(_ANY_SESSION) and header.startswith(b"x-"):
            other_session = _text(value)
    if facts.metadata:
        _from_metadata(facts.metadata, declared, tags)
    for name in _TAGS:
        if name in declared:
            tags[name] = declared[name]
    conversation = declared.get("conversation", "")
    session, above = declared.get("session") or other_session or short(facts.session), declared.get("parent_session")
    agent = _agent_name(declared.get("agent", "")) or (session if above else "")
    return Attribution(
        Owner(
            team=owner.team or declared.get("team", ""),
            app=owner.app or declared.get("app", ""),
            user=owner.user or declared.get("user") or short(facts.user),
            key=owner.key,
        ),
        declared.get("task") or above or session or conversation,
        conversation,
        agent,
        declared.get("project", ""),
        tags,
        _lineage(declared, headers, agent, session, conversation),
    )


def _lineage(
    declared: Mapping[str, str], headers: Mapping[bytes, bytes], agent: str, session: str, conversation: str
) -> Lineage:
    parent, above = declared.get("parent", ""), declared.get("parent_session", "")
    if above and session and not parent:
        return Lineage(session, above, task_is_parent="task" not in declared)
    if _THREAD_ABOVE in headers and conversation:
        return Lineage(conversation, parent)
    return Lineage(agent, _agent_name(parent)) if agent else MAIN_AGENT


def _agent_name(written: str) -> str:
    """Claude Code calls the members of a team NAME@TEAM, with all but plain letters quoted; others have ids."""
    return short(unquote(written)).partition("@")[0] if "@" in written or "%" in written else written


def _tag(header: bytes, value: bytes, tags: dict[str, str]) -> None:
    if header == _TRACE:
        if parsed(parent := value.decode("ascii", "replace")) is not None:
            tags[TRACE_TAG] = parent
    elif len(tags) < MOST_TAGS and not _is_ours(name := _text(header[len(_TAG) :])):
        tags[name] = _text(value)


def _from_metadata(metadata: Mapping[str, str], declared: dict[str, str], tags: dict[str, str]) -> None:
    for name, (_, fields) in _NAMES.items():
        if not declared.get(name):
            value = next((metadata[field] for field in fields if metadata.get(field)), "")
            if value:
                declared[name] = short(value)
    for field, value in metadata.items():
        if field not in _FIELDS and len(tags) < MOST_TAGS and not _is_ours(name := short(field)):
            tags[name] = short(value)


def _is_ours(tag: str) -> bool:
    """Whether only the gateway says such a thing of a call: a caller must not choose its arm, nor what it holds."""
    is_known = tag in {RESERVED_TAG, COUNTED_TAG, CREDENTIAL_TAG} or is_reserved(tag)
    return is_known or tag.startswith((EXPERIMENT_TAG, "rules."))


def _text(value: bytes) -> str:
    return short(value.decode("utf-8", "replace"))


def short(text: str) -> str:
    """Printable and bounded: it becomes a column of the ledger and a line on somebody's terminal."""
    text = text[:MOST_CHARACTERS]
    return text if text.isprintable() else "".join(character for character in text if character.isprintable())
