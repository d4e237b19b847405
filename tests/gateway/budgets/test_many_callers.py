"""200 callers at once on one budget, through real sockets: nothing above the limit, and no call refused that fits."""

import asyncio
import random
from collections import Counter

import httpx2 as httpx
import msgspec
import pytest

from gateway.budgets.budget_rig import MESSAGES, chat_reply, gpt_4o_mini_usd, with_budgets
from gateway.rig import wait_until
from gateway.scripted import Answer, all_upstreams, chunk, events, whole
from modicum.gateway.budgets import budgeting
from modicum.governance.budgets import NANO, Ruling

CALLERS = 200
CALLS_EACH = 3


class Tally:
    """A plain count of what is spent and held, beside the gateway's own, that says of each decision what it must be."""

    def __init__(self, counters, monkeypatch):
        self.spent, self.held, self.rulings, self.wrong = {}, {}, Counter(), []
        reserve, settle, release, decide = counters.reserve, counters.settle, counters.release, budgeting.decide

        async def counted_reserve(call, lines):
            others = [held for number, held in self.held.items() if number != call]
            fits = all(line.limit is None or self.total(others, line) <= line.limit for line in lines)
            result = await reserve(call, lines)
            if result.admitted != fits:
                self.wrong.append((call, lines, result))
            if result.admitted:
                self.rulings[Ruling.ADMIT] += 1
                self.held[call] = {line.counter: line.amount for line in lines}
            return result

        async def counted_settle(call, amounts):
            for counter, amount in zip(self.held.pop(call), amounts, strict=True):
                self.spent[counter] = self.spent.get(counter, 0) + amount
            return await settle(call, amounts)

        async def counted_release(call):
            self.held.pop(call, None)
            await release(call)

        def counted_decide(standings, worst, **more):
            verdict = decide(standings, worst, **more)
            self.rulings[verdict.ruling] += 1
            if not verdict.is_refusal:  # it is asked only about calls that do not fit
                self.wrong.append((verdict, worst))
            return verdict

        counters.reserve, counters.settle, counters.release = counted_reserve, counted_settle, counted_release
        monkeypatch.setattr(budgeting, "decide", counted_decide)

    def total(self, others, line):
        held = sum(amounts.get(line.counter, 0) for amounts in others)
        return self.spent.get(line.counter, 0) + held + line.amount


def answers(request):
    """Whole replies and streams, short and as long as they may be, refused and broken ones."""
    tokens = random.choice([1, 40, request.get("max_tokens", 100)])  # noqa: S311 - a choice, no secret
    kind = random.random()  # noqa: S311 - as above
    if kind < 0.1:
        return whole({"error": {"message": "no", "type": "x"}}, random.choice([429, 500, 529]))  # noqa: S311
    if kind < 0.15:
        return Answer(b"", 504)
    if not request.get("stream"):
        return chat_reply(tokens)
    usage = {"usage": {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10}}
    ends = [chunk() | usage] if kind > 0.3 else []  # some tell no usage, and are estimated
    return events(chunk({"content": "Paris"}), chunk(finish="stop"), *ends, named=False, done=kind > 0.2)


def roomy(port):
    """Room for all of them, so that budgets alone refuse."""
    settings = all_upstreams(port)
    return msgspec.structs.replace(
        settings, gateway=msgspec.structs.replace(settings.gateway, most_calls=1000, slow_client_s=60.0)
    )


async def call_often(client, rig, seed, statuses):
    choice = random.Random(seed)  # noqa: S311 - as above
    for _ in range(CALLS_EACH):
        model = choice.choice(["gpt-4o-mini"] * 5 + ["gpt-nobody-knows"])
        body = {"model": model, "messages": MESSAGES, "max_tokens": choice.choice([10, 100, 400])}
        body["stream"] = choice.random() < 0.5
        leaves = choice.random() < 0.05
        try:
            reply = await client.post(
                f"{rig.url}/v1/chat/completions",
                json=body,
                headers=rig.headers(),
                timeout=0.001 if leaves else 60,
            )
            statuses.append((model, reply.status_code))
        except httpx.TimeoutException:
            continue


@pytest.mark.parametrize("limit_usd", [0.002, 0.01])
def test_200_callers_at_once_neither_pass_a_budget_nor_are_refused_wrongly(tmp_path, monkeypatch, limit_usd):
    async def everybody(rig, statuses):
        limits = httpx.Limits(max_connections=CALLERS)
        async with httpx.AsyncClient(limits=limits) as client:
            await asyncio.gather(*(call_often(client, rig, seed, statuses) for seed in range(CALLERS)))

    budgets = [{"limit_usd": limit_usd}, {"name": "calls", "limit_calls": 500, "team": "platform"}]
    budgets.append({"name": "soft", "limit_usd": 0.0001, "at_limit": "alert"})
    with with_budgets(tmp_path, *budgets, settings=roomy) as rig:
        tally = Tally(rig.gateway.parts.budgets._counters, monkeypatch)
        rig.answers = answers
        statuses = []
        asyncio.run(everybody(rig, statuses))
        wait_until_settled(rig)
        entries = rig.ledger.entries()

        counted = sum(tally.spent[name] for name in tally.spent if name.startswith("all|"))
        known = sum(entry.cost.usd for entry in entries if entry.cost.usd is not None) * NANO
        overspent = max(counted - limit_usd * NANO, 0)
        assert (overspent, tally.wrong) == (0, [])
        assert known <= counted <= limit_usd * NANO
        assert {request["model"] for request in rig.asked} == {"gpt-4o-mini"}
        assert tally.rulings[Ruling.UNPRICED] > 0
        assert tally.rulings[Ruling.BUSY] + tally.rulings[Ruling.SPENT] > 0
        assert ("gpt-4o-mini", 200) in statuses
        assert rig.reserved() == 0


def wait_until_settled(rig):
    wait_until(lambda: not rig.gateway.parts.journal.calls_under_way and not rig.reserved(), 20)


def test_what_fits_exactly_is_admitted(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 3}) as rig:
        assert [rig.chat().status_code for _ in range(4)] == [200, 200, 200, 402]
        assert gpt_4o_mini_usd(10, 10) * 3 == sum(entry.cost.usd for entry in rig.ledger.entries())
