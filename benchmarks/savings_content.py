"""What rules for content save of logs, and how fast they are beside reading JSON."""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from modicum.calls.facts import Facts
from modicum.optimizers.all_rules import DEFAULT_RULES
from modicum.optimizers.log_folding import RARE, fold_log, template_of
from modicum.optimizers.running import RequestCall, run_rules
from modicum.providers.dialects import DIALECTS

ROUNDS = 15
_LINE = "return self.total(order, {0}) if order.paid else self.remind(order.customer, {1})"


def content_figures(logs: Path) -> dict[str, float | int]:
    """Share of the characters of `*_2k.log` (loghub) that folding leaves out, lines of rare templates lost, and
    the speed of the default rules on files, searches and JSON, each as a multiple of that of `json.loads`.
    """
    before = after = lost = 0
    for path in sorted(logs.rglob("*_2k.log")):
        text = path.read_text(encoding="utf-8", errors="replace")
        folded = min(fold_log(text), text, key=len)
        counts = Counter(map(template_of, text.split("\n")))
        shown = set(folded.split("\n"))
        lost += sum(counts[template_of(line)] <= RARE and line not in shown for line in text.split("\n"))
        before, after = before + len(text), after + len(folded)
    figures: dict[str, float | int] = {"rare_lines_lost": lost}
    for kind, text_of in {"files": _file, "searches": _search, "json": _rows}.items():
        figures[f"default_rules_speed_{kind}"] = _speed(text_of)
    figures["default_rules_speed"] = min(value for name, value in figures.items() if "speed" in name)
    return figures | ({"log_fold_share": 1 - after / before} if before else {})


def _speed(text_of: Callable[[int], str]) -> float:
    """How fast the default rules go over results that nobody has seen, as a multiple of `json.loads` of the request
    that holds them. Reading the request for the rules and writing it is not in it.
    """
    taken: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        results = [
            {"type": "tool_result", "tool_use_id": f"t{n}", "content": text_of(number * 10 + n)} for n in range(10)
        ]
        calls = [{"type": "tool_use", "id": f"t{n}", "name": "mcp__shop__list", "input": {}} for n in range(10)]
        turns = [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "go on"}, *turns]}).encode()
        call = RequestCall(DIALECTS["anthropic-messages"], body, Facts(at=datetime.now(UTC), model="m"))
        assert all(unit.tokens for unit in call.prompt.units)
        rules = _seconds(lambda call=call: run_rules(DEFAULT_RULES, call))  # type: ignore[misc]
        assert call.body != body
        taken.append((min(_seconds(lambda body=body: json.loads(body)) for _ in range(3)), rules))  # type: ignore[misc]
    return min(loads for loads, _ in taken) / min(rules for _, rules in taken)


def _file(number: int) -> str:
    return "\n".join(f"{n:6}→        {_LINE.format(n, number)}" for n in range(1, 400))


def _search(number: int) -> str:
    return "\n".join(f"src/shop/orders/part_{number}.py:{n}:        {_LINE.format(n, number)}" for n in range(1, 400))


def _rows(number: int) -> str:
    rows = [{"id": n, "name": f"order {number}", "tags": ["a", "b"], "paid": n % 2 == 0} for n in range(400)]
    return json.dumps(rows, indent=2)


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
