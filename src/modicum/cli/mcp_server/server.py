"""The tools of `modicum mcp`: the questions of the library, with answers that are short enough for a context."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from modicum import __version__
from modicum.calls import UserError
from modicum.cli.terminal.output import json_text
from modicum.ledger.store import Store
from modicum.library.audits import audit
from modicum.library.bills import BillAnswer, bill, bill_of_store
from modicum.library.counts import count
from modicum.library.memory_plans import plan_memory
from modicum.library.price_documents import price
from modicum.library.sources import load_prices, open_source, read_scope

MOST_ROWS = 30
"""Of an answer: more would cost the agent more than they tell it."""
INSTRUCTIONS = (
    "What calls of language models cost, by the user's own records. A cost whose basis is 'lower_bound' is this "
    "or more; 'estimated' is not measured; null is unknown, never zero. Nothing here changes anything."
)
_READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class CallSubject:
    """What the questions are about."""

    paths: tuple[Path, ...] | None
    """Logs; None: the ledger."""
    ledger: str | None = None


class AgentQuestions:
    """The tools. What an agent reads of each is its docstring."""

    def __init__(self, subject: CallSubject) -> None:
        self._subject = subject

    def get_bill(self, by: str = "model", since: str | None = None, until: str | None = None) -> str:
        """What was spent, dearest rows first.

        Args:
            by: model, day, week, month, project, branch, task, agent, team, provider, tier, work, or two with a comma.
            since: 2026-01-31, today, 7d, 24h. None: all.
            until: likewise.
        """
        found = bill(self._subject.paths, by=by.split(","), since=since, until=until, ledger=self._subject.ledger)
        return json_text(_short_bill(found))

    def get_session_cost(self, session: str | None = None) -> str:
        """What one session of an agent cost, by model: the newest of all where none is named.

        Args:
            session: its id.
        """
        scope = read_scope()
        prices = load_prices(None, scope.settings)
        with open_source(self._subject.paths, scope, prices, ledger=self._subject.ledger) as store:
            chosen = session or _find_newest(store)
            found = bill_of_store(store, read_scope(where={"session": chosen}), prices, ["model"])
        return json_text({"session": chosen} | _short_bill(found))

    def get_waste(self, since: str | None = None, most: int = 5) -> str:
        """What of the spending bought nothing, and what to change: findings by dollars that a replay of the records
        saves, and steps that the user can take. Reading long logs takes up to a minute.

        Args:
            since: 2026-01-31, today, 7d, 24h. None: all.
            most: findings in the answer.
        """
        found = audit(self._subject.paths, since=since, ledger=self._subject.ledger)
        rows = sorted(found.findings, key=lambda row: -(row.saving_usd or 0))[: max(1, min(most, MOST_ROWS))]
        names = "id", "title", "finding_class", "calls", "saving_usd", "saving_share", "remedy"
        return json_text(
            {
                "calls": found.calls,
                "cost_usd": found.cost_usd,
                "joint_saving_usd": found.joint_saving_usd,
                "findings": [{name: getattr(row, name) for name in names} for row in rows],
                "steps": found.steps[:3],
                "problems": len(found.problems),
            }
        )

    def get_price(self, model: str, at: str | None = None) -> str:
        """What a model costs, in dollars per million tokens, by lane and bucket.

        Args:
            model: as its provider names it.
            at: a day. None: today.
        """
        return json_text(price(model, at=at).to_dicts())

    def count_tokens(self, text: str, model: str) -> str:
        """Tokens of a text in a model, with the error of the count, and what sending it once costs.

        Args:
            text: what is counted; nothing of it is kept.
            model: as its provider names it.
        """
        return json_text(count(text, model).to_dicts()[0])

    def get_memory_plan(self, model: str, context: str = "8k", batch: int = 1, gpu: str | None = None) -> str:
        """Memory of an open model that one runs oneself, and whether it fits.

        Args:
            model: as granite-4.0-h-small.
            context: tokens of a sequence: 8192 or 128k.
            batch: sequences at once.
            gpu: h100, 2xh200, 24GiB. None: nothing has to fit.
        """
        return json_text(plan_memory(model, context=context, batch=batch, gpu=gpu).to_dicts()[0])


def make_server(subject: CallSubject) -> MCPServer[Any]:
    """A server with all tools."""
    server: MCPServer[Any] = MCPServer("modicum", instructions=INSTRUCTIONS, version=__version__, log_level="ERROR")
    questions = AgentQuestions(subject)
    for question in (
        questions.get_bill,
        questions.get_session_cost,
        questions.get_waste,
        questions.get_price,
        questions.count_tokens,
        questions.get_memory_plan,
    ):
        server.tool(annotations=_READS, structured_output=False)(_with_plain_errors(question))
    return server


def _with_plain_errors(question: Callable[..., str]) -> Callable[..., str]:
    """What a verb would say on one line, the agent is told; the rest is the SDK's to hide."""

    @wraps(question)
    def answer(**arguments: Any) -> str:
        try:
            return question(**arguments)
        except UserError as error:
            raise ToolError(str(error)) from None

    return answer


def _short_bill(found: BillAnswer) -> dict[str, Any]:
    names = "name", "calls", "prompt_tokens", "completion_tokens", "cost_usd", "basis", "calls_unpriced"
    rows = sorted(found.rows, key=lambda row: -(row.cost_usd or 0))
    return {
        "total": {name: getattr(found.total, name) for name in names if name != "name"},
        "rows": [{name: getattr(row, name) for name in names} for row in rows[:MOST_ROWS]],
        "rows_left_out": max(0, len(rows) - MOST_ROWS),
        "timezone": found.timezone,
        "problems": len(found.problems),
    }


def _find_newest(store: Store) -> str:
    """The session whose last call is the newest.

    Raises:
        UserError: no call belongs to a session.
    """
    calls = (entry.call for batch in store.entries() for entry in batch if entry.call.task)
    newest = max(calls, key=lambda call: call.started, default=None)
    if newest is None:
        raise UserError("no call belongs to a session; ask for the bill")
    return newest.task
