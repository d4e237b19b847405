"""What one run took: from its own output, from logs, or from the ledger behind the gateway."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from modicum.calls import BUCKETS, Basis, Call, Problem
from modicum.ledger import positions
from modicum.ledger.journal import SHIPPED

if TYPE_CHECKING:
    from modicum.calls import Entry
    from modicum.experiments.trials.saver_trial import ModelUse
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook

SHIPPED_WITHIN_S = 30.0
"""How long calls of a run may take to their end, and into the ledger."""
LOOKS_APART_S = 0.1


@dataclass
class RunUse:
    models: "list[ModelUse]" = field(default_factory=list)
    basis: str = Basis.UNKNOWN.value
    has_uncounted: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def prompt_tokens(self) -> int | None:
        return sum(use.prompt_tokens for use in self.models) if self._is_counted else None

    @property
    def completion_tokens(self) -> int | None:
        return sum(use.completion_tokens for use in self.models) if self._is_counted else None

    @property
    def cost_usd(self) -> float | None:
        """None where nobody knows what any one of its calls cost."""
        known = [use.cost_usd for use in self.models if use.cost_usd is not None]
        return sum(known) if self._is_counted and len(known) == len(self.models) else None

    @property
    def _is_counted(self) -> bool:
        return bool(self.models) and not self.has_uncounted


def meter_logs(paths: Sequence[Path], prices: "PriceBook", *, since: datetime | None = None) -> RunUse:
    """The calls in these files. `since`: only those that began then or later, where older runs lie beside them."""
    from modicum.importers import read_calls
    from modicum.importers.format import Reading
    from modicum.ledger.booking import book_all, newest_calls

    calls: list[Call] = []
    use = RunUse()
    for item in read_calls([path for path in paths if path.exists()], Reading(), processes=1):
        if isinstance(item, Problem):
            use.problems.append(item.reason)
        elif since is None or item.started >= since:
            calls.append(item)
    _add_entries(use, book_all(newest_calls(calls), prices))
    return use


def meter_ledger(store: "Store", task: str, since: datetime, journals: Path) -> RunUse:
    """The calls of a run that came through the gateway; waits until they have ended and the ledger has them.

    Args:
        store: the ledger.
        task: the run, as the gateway knows it.
        since: when it began.
        journals: the folder of the gateway's journals.
    """
    from modicum.ledger.calls_in_flight import calls_under_way

    deadline = time.monotonic() + SHIPPED_WITHIN_S
    ended = _wait_until(lambda: all(call.task != task for call in calls_under_way(journals)), deadline)
    written = positions.ends(journals)
    shipped = _wait_until(lambda: positions.has_reached(written, SHIPPED), deadline)
    use = _from_rows([row for row in _task_rows(store, since) if row["task"] == task])
    if not (ended and shipped):
        use.has_uncounted = True
        what = "calls of it were still under way" if not ended else "the ledger did not get what the gateway wrote down"
        use.problems.append(f"{what} after {SHIPPED_WITHIN_S:.0f} s")
    return use


def _wait_until(condition: Callable[[], bool], deadline: float) -> bool:
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOKS_APART_S)
    return True


def _task_rows(store: "Store", since: datetime) -> "list[dict[str, object]]":
    from modicum.insights.scoping.time_span import NEVER

    return list(
        store.ask(
            "task_arms",
            by="model",
            tag="",
            pair="task",
            pair_tag="",
            zone="UTC",
            since=since,
            until=NEVER,
            outcome="",
        )
    )


def _from_rows(rows: "list[dict[str, object]]") -> RunUse:
    from modicum.experiments.trials.saver_trial import ModelUse

    use = RunUse(basis=Basis.EXACT.value if rows else Basis.UNKNOWN.value)
    for row in rows:
        unpriced = bool(row["calls_unpriced"]) or row["cost_usd"] is None
        use.has_uncounted |= bool(row["calls_uncounted"])
        use.models.append(
            ModelUse(
                model=str(row["name"]),
                calls=int(str(row["calls"])),
                prompt_tokens=int(str(row["prompt_tokens"])),
                completion_tokens=int(str(row["completion_tokens"])),
                cost_usd=None if unpriced else float(str(row["cost_usd"])),
                price=", ".join(sorted({str(row[name]).strip() for name in ("price_low", "price_high")} - {""})),
                clients=sorted({str(row[name]) for name in ("client_low", "client_high")} - {""}),
            )
        )
    return use


def _add_entries(use: RunUse, entries: "Iterable[Entry]") -> None:
    by_model: dict[str, list[Entry]] = {}
    basis: Basis | None = None
    for entry in entries:
        by_model.setdefault(entry.call.model, []).append(entry)
        basis = entry.cost.basis if basis is None else basis | entry.cost.basis
        use.has_uncounted |= Basis.UNKNOWN in (entry.call.usage_basis, entry.call.output_basis)
    use.basis = (basis or Basis.UNKNOWN).value
    use.models += [_model_use(model, found) for model, found in sorted(by_model.items())]


def _model_use(model: str, entries: "list[Entry]") -> "ModelUse":
    from modicum.experiments.trials.saver_trial import ModelUse

    costs = [entry.cost.usd for entry in entries]
    known = [cost for cost in costs if cost is not None]
    parts = [entry.cost.by_bucket for entry in entries if entry.cost.by_bucket is not None]
    tokens = {bucket: sum(getattr(entry.call.usage, bucket) or 0 for entry in entries) for bucket in BUCKETS}
    dollars = {bucket: float(sum(getattr(part, bucket) for part in parts)) for bucket in (*BUCKETS, "requests")}
    prices = sorted({f"{entry.cost.price_source} {entry.cost.price_version or ''}".strip() for entry in entries})
    return ModelUse(
        model=model,
        calls=sum(entry.call.calls_count for entry in entries),
        prompt_tokens=sum(entry.call.usage.prompt_tokens for entry in entries),
        completion_tokens=sum(entry.call.usage.completion_tokens for entry in entries),
        cost_usd=float(sum(known)) if len(known) == len(costs) else None,
        price=", ".join(prices),
        clients=sorted({entry.call.client_version for entry in entries} - {""}),
        tokens_by_bucket={bucket: count for bucket, count in tokens.items() if count},
        cost_by_bucket={bucket: cost for bucket, cost in dollars.items() if cost},
    )
