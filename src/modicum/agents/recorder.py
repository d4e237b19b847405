"""Collects a team's turns as rows while it runs; what the framework adapters write to.

Answers are kept as keyed digests unless the owner asks for text, and prompts only as digests: a recording that lies
about holds no text of anybody.
"""

import threading
from collections.abc import Callable, Iterable

import msgspec

from modicum.agents.answers import answer_digest
from modicum.agents.plan import text_digest
from modicum.agents.recorded import Read, Row


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
        self._rows: list[Row] = []
        self._steps: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def rows(self) -> list[Row]:
        with self._lock:
            return list(self._rows)

    def turn(  # one argument a field, all named
        self,
        run: str,
        agent: str,
        round: int,  # noqa: A002 - the word of the field
        *,
        reply: str | None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        model: str = "",
        instructions: str = "",
        reads: Iterable[Read] | None = None,
    ) -> None:
        """An agent has spoken."""
        answer = None if reply is None else self._answer_of(reply)
        with self._lock:
            step = self._steps.get(run, 0)
            self._steps[run] = step + 1
            self._rows.append(
                Row(
                    run=run,
                    team=self.team,
                    agent=agent,
                    round=round,
                    step=step,
                    model=model,
                    prompt_digest=text_digest(instructions) if instructions else "",
                    prompt_tokens=prompt_tokens,
                    completion_tokens=completion_tokens,
                    answer=self._kept(answer),
                    reads=None if reads is None else tuple(reads),
                )
            )

    def result(
        self, run: str, answer: str | None, *, task: str = "", outcome: float | None = None, gold: str | None = None
    ) -> None:
        """The run is over."""
        with self._lock:
            self._rows.append(
                Row(
                    run=run,
                    team=self.team,
                    task=task,
                    answer=self._kept(answer),
                    outcome=outcome,
                    gold=self._kept(gold),
                )
            )

    def jsonl(self) -> str:
        """The rows so far, one a line; what `modicum team` reads."""
        return "".join(msgspec.json.encode(row).decode() + "\n" for row in self.rows)

    def _kept(self, answer: str | None) -> str | None:
        return answer if self._keep_text else answer_digest(answer, self._key)
