"""Result files of tau2-bench: simulations with a reward and the usage of each message.

The agent is what is tested; the simulated user belongs to the test, and its tokens and cost are left out. A simulation
that broke off without a reward has failed, which is how the benchmark's own table counts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.calls.task_result import TaskResult, total_of
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.task_results.result_format import (
    Numbered,
    Record,
    ResultFormat,
    ResultOptions,
    arm_label,
    count_of,
    float_of,
)
from modicum.providers.fields import label, listed, mapping, moment, text

NO_REWARD = "broke off without a reward and count as failed"
WITHOUT_CACHED = "read more from cache than their prompt holds: this file's prompt tokens leave cached ones out"


def read_tau2(path: Path, rows: Iterator[Numbered | Problem], options: ResultOptions) -> Iterator[TaskResult | Problem]:
    """A result per simulation."""
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        document = row[1]
        info = mapping(document.get("info"))
        agent = mapping(info.get("agent_info"))
        domain = text(mapping(info.get("environment_info")).get("domain_name")) or text(document.get("domain"))
        labels = {
            "model": text(agent.get("llm")) or text(document.get("model")),
            "agent": text(agent.get("implementation")) or text(document.get("agent")),
        }
        try:
            arm = arm_label(options, path, labels)
        except ValueError as error:
            yield Problem(str(path), str(error))
            continue
        without_reward = without_cached = 0
        for number, item in enumerate(listed(document.get("simulations")), 1):
            simulation = mapping(item)
            if not (task := label(simulation.get("task_id"))):
                yield Problem(str(path), f"simulation {number} has no task_id")
                continue
            reward = float_of(mapping(simulation.get("reward_info")).get("reward"))
            without_reward += reward is None
            prompt, completion = _agent_tokens(listed(simulation.get("messages")))
            cost = float_of(simulation.get("agent_cost"))
            leaves_out = sum(_leaves_out_cached(mapping(each)) for each in listed(simulation.get("messages")))
            without_cached += leaves_out
            yield TaskResult(
                arm=arm,
                task=f"{domain}/{task}" if domain else task,
                run_id=label(simulation.get("id")) or f"{path.name}/{label(simulation.get('trial'))}",
                outcome=0.0 if reward is None else reward,
                prompt_tokens=prompt,
                completion_tokens=completion,
                total_tokens=total_of(prompt, completion),
                is_lower_bound=leaves_out > 0,
                cost_usd=None if prompt is None and not cost else cost,  # 0 stands where nothing was counted
                seconds=float_of(simulation.get("duration")),
                started_at=moment(simulation.get("start_time")),
                place=f"{path.name}, simulation {number}",
            )
        if without_cached:
            yield Problem(str(path), f"{number_of(without_cached, 'message')} {WITHOUT_CACHED}")
        if without_reward:
            yield Problem(str(path), f"{number_of(without_reward, 'simulation')} {NO_REWARD}")


def _agent_tokens(messages: list[Any]) -> tuple[int | None, int | None]:
    """Sums over the agent's messages; None where one of them was not counted, or there is none.

    Its first line is the benchmark's own.
    """
    prompt = completion = counted = 0
    for number, item in enumerate(messages):
        message = mapping(item)
        usage = mapping(message.get("usage"))
        if message.get("role") != "assistant" or (number == 0 and not usage):
            continue
        one, other = count_of(usage.get("prompt_tokens")), count_of(usage.get("completion_tokens"))
        if one is None or other is None:
            return None, None
        prompt, completion, counted = prompt + one, completion + other, counted + 1
    return (prompt, completion) if counted else (None, None)


def _leaves_out_cached(message: Record) -> bool:
    """Some relays count only what was not cached as prompt, where others count all of it."""
    if message.get("role") != "assistant":
        return False
    details = mapping(mapping(mapping(message.get("raw_data")).get("usage")).get("prompt_tokens_details"))
    cached, prompt = (
        count_of(details.get("cached_tokens")),
        count_of(mapping(message.get("usage")).get("prompt_tokens")),
    )
    return cached is not None and prompt is not None and cached > prompt


def _recognise(record: Record) -> bool:
    return isinstance(record.get("simulations"), list)


FORMAT = ResultFormat("tau2", _recognise, read_tau2)
