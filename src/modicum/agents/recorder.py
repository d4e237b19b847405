"""Collects a team's turns as rows while it runs; what the framework adapters write to.

Answers are kept as keyed digests unless the owner asks for text, and prompts only as digests: a recording that lies
about holds no text of anybody.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from modicum.agents.answers import digest_answer
from modicum.agents.call_lines import make_call_lines, make_outcome_lines
from modicum.agents.plan_rules import digest_text
from modicum.agents.recordings import ReadMessage, RecordedRow


@dataclass(frozen=True, kw_only=True)
class AgentReply:
    """What an agent said in a turn, and what that took. None: not known."""

    reply: str | None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str = ""
    instructions: str = ""
    reads: tuple[ReadMessage, ...] | None = None


class TeamRecorder:
    """Safe to use from many threads.

    Args:
        team: name of the team.
        answer_of: takes the short answer out of an agent's reply (an option, a number, a file name). Whole replies
            hardly ever equal each other, so without it agreement is not seen.
        key: of the digests. The same key is needed for gold answers.
        keep_text: write answers in clear.
    """

    def __init__(
        self,
        team: str,
        *,
        answer_of: Callable[[str], str | None] | None = None,
        key: bytes = b"",
        keep_text: bool = False,
    ) -> None:
        self.team = team
        self._answer_of = answer_of or (lambda reply: reply)
        self._key = key
        self._keep_text = keep_text
        self._rows: list[RecordedRow] = []
        self._steps: dict[str, int] = {}
        self._timed_rows: list[tuple[datetime, RecordedRow]] = []
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    @property
    def rows(self) -> list[RecordedRow]:
        with self._lock:
            return list(self._rows)

    def turn(self, run: str, agent: str, round: int, reply: AgentReply) -> None:  # noqa: A002 - the word of the field
        """An agent has spoken."""
        answer = None if reply.reply is None else self._answer_of(reply.reply)
        with self._lock:
            step = self._steps.get(run, 0)
            self._steps[run] = step + 1
            row = RecordedRow(
                run=run,
                team=self.team,
                agent=agent,
                round=round,
                step=step,
                model=reply.model,
                prompt_digest=digest_text(reply.instructions) if reply.instructions else "",
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=reply.completion_tokens,
                answer=self._text_or_digest(answer),
                reads=reply.reads,
            )
            self._rows.append(row)
            self._timed_rows.append((self._now(), row))

    def result(
        self, run: str, answer: str | None, *, task: str = "", outcome: float | None = None, gold: str | None = None
    ) -> None:
        """The run is over."""
        with self._lock:
            self._rows.append(
                RecordedRow(
                    run=run,
                    team=self.team,
                    task=task,
                    answer=self._text_or_digest(answer),
                    outcome=outcome,
                    gold=self._text_or_digest(gold),
                )
            )

    def jsonl(self) -> str:
        """The rows so far, one a line; what `modicum team` reads."""
        return "".join(msgspec.json.encode(row).decode() + "\n" for row in self.rows)

    def calls_jsonl(self) -> str:
        """The turns so far as calls for `modicum import`.

        Don't import them where the gateway or an agent's log books the same calls: they would be counted twice.
        """
        with self._lock:
            return make_call_lines(self._timed_rows, [row for row in self._rows if not row.agent])

    def outcomes_jsonl(self, name: str = "team_score") -> str:
        """The outcomes of the runs so far, for `modicum outcome import`."""
        return make_outcome_lines([row for row in self.rows if not row.agent], datetime.now(UTC), name)

    def _now(self) -> datetime:
        """Now, and never a moment that was: so that the order of turns outlives the clock's steps."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last

    def _text_or_digest(self, answer: str | None) -> str | None:
        return answer if self._keep_text else digest_answer(answer, self._key)
