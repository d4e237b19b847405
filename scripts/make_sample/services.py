"""What the shop's programs asked of models in the same fortnight."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bodies import Service, count, parts_of
from provider import Provider
from text import Writer

Outcomes = list[tuple[str, str, float, datetime]]

TOOLS = {
    "find_order": "Looks an order up by its number or by the customer's address.",
    "parcel_state": "Says where a parcel is, and when it was last scanned.",
    "refund": "Pays an order back, in whole or in part.",
    "new_label": "Prints a return label and sends it to the customer.",
    "loyalty_points": "Adds points to a customer's account, with the reason.",
    "store_hours": "Says when a shop in a city is open, holidays included.",
    "gift_wrap": "Adds gift wrapping to an order that was not packed yet.",
    "translate": "Translates the customer's message into one of twelve languages.",
}
USED = ("find_order", "parcel_state", "refund", "new_label")


def schema(name: str, said: Writer) -> dict[str, Any]:
    """A tool as services describe them: far too wordy."""
    fields = {f"{said.noun()}_{number}": {"type": "string", "description": said.prose(1)} for number in range(5)}
    return {"name": name, "description": TOOLS[name], "parameters": {"type": "object", "properties": fields}}


def support(provider: Provider, outcomes: Outcomes) -> Service:
    """A support bot: eight tools, of which it uses four. One ticket is sent five times by a client that timed out."""
    said = Writer(71)
    bot = Service(provider, "support-bot", "service", "gpt-4.1", datetime(2026, 3, 2, 7, 58, tzinfo=UTC), said)
    tools = [{"type": "function", "function": schema(name, said)} for name in TOOLS]
    system = "You answer customers of a small shop. Be kind and short. " + said.prose(60)
    for number in range(24):
        ticket = f"T-{1040 + number}"
        asked = f"{said.prose(2)} My order is {4000 + number}, I am customer{number}@post.internal."
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": system},
            {"role": "user", "content": asked},
        ]
        for step, name in enumerate(USED[: 1 + number % 3]):
            arguments = json.dumps({"number": 4000 + number, "step": step})
            call = {
                "id": f"call_{number}{step}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            message: dict[str, Any] = {"content": None, "tool_calls": [call]}
            bot.openai(ticket, {"tools": tools, "messages": list(messages)}, message)
            result = json.dumps({"order": 4000 + number, "lines": [said.line() for _ in range(6)]})
            messages += [
                {"role": "assistant", **message},
                {"role": "tool", "tool_call_id": call["id"], "content": result},
            ]
            bot.wait(seconds=2)
        if number == 6:
            for _ in range(4):
                bot.openai(ticket, {"tools": tools, "messages": list(messages)}, {"content": said.prose(2)})
                bot.wait(seconds=31)
        bot.openai(ticket, {"tools": tools, "messages": list(messages)}, {"content": said.prose(2)})
        outcomes.append((ticket, "resolved", float(number % 5 != 3), bot.now))
        bot.wait(minutes=2)
        if number % 4 == 3:
            bot.now += timedelta(days=1, hours=14)
    return bot


def returns(provider: Provider) -> Service:
    """A desk for returns whose system prompt tells the time, so that its cache is lost with every minute."""
    said = Writer(72)
    desk = Service(provider, "returns-desk", "service", "claude-sonnet-4-5", datetime(2026, 3, 4, 10, tzinfo=UTC), said)
    tools = [{"name": name, "description": TOOLS[name], "input_schema": {"type": "object"}} for name in USED[:2]]
    policy = "You decide about returns by these rules. " + said.prose(110)
    for number in range(5):
        messages: list[dict[str, Any]] = [{"role": "user", "content": said.prose(3)}]
        for step in range(4):
            clock = f"It is {desk.now:%H:%M}. " if number < 4 else ""
            request = {"system": clock + policy, "tools": tools, "messages": list(messages)}
            use = {"type": "tool_use", "id": f"toolu_{number}{step}", "name": USED[step % 2], "input": {"step": step}}
            content = [use] if step < 3 else [{"type": "text", "text": said.prose(2)}]
            desk.anthropic(f"R-{310 + number}", request, content, cached=True)
            result = {"type": "tool_result", "tool_use_id": use["id"], "content": said.code(25)}
            messages += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
            desk.wait(seconds=74 if step % 2 else 12)
        desk.wait(hours=5 + 20 * (number % 2))
    return desk


def reports(provider: Provider, outcomes: Outcomes) -> Service:
    """Weekly reports on the dearest model, without any cache; one reply is cut at its limit and asked for again."""
    said = Writer(73)
    desk = Service(provider, "weekly-report", "finance", "claude-opus-4-1", datetime(2026, 3, 6, 15, tzinfo=UTC), said)
    system = "You write the weekly report of a shop from its figures. " + said.prose(30)
    for week in range(2):
        figures = "\n".join(f"{said.noun()};{said.chance.randint(1, 9999)};{said.noun()}" for _ in range(160))
        messages: list[dict[str, Any]] = [{"role": "user", "content": "The figures of the week:\n" + figures}]
        if week:
            desk.refused("report-2", {"system": system, "messages": list(messages)})
            desk.wait(seconds=5)
        for step in range(4):
            content = [{"type": "text", "text": said.prose(14)}]
            request = {"system": system, "messages": list(messages)}
            if step == 1 and not week:
                desk.anthropic(f"report-{week + 1}", request, content, cached=False, ends="max_tokens")
                desk.wait(seconds=8)
            desk.anthropic(f"report-{week + 1}", request, content, cached=False)
            messages += [{"role": "assistant", "content": content}, {"role": "user", "content": said.prose(2)}]
            desk.wait(seconds=70)
        outcomes.append((f"report-{week + 1}", "accepted", 1.0, desk.now))
        desk.now = datetime(2026, 3, 13, 15, tzinfo=UTC)
    return desk


def contracts(provider: Provider) -> Service:
    """Contracts of suppliers, each summed up once, each written to a cache that nobody reads."""
    said = Writer(74)
    model = "claude-sonnet-4-20250514"
    desk = Service(provider, "contract-summary", "legal", model, datetime(2026, 3, 10, 8, tzinfo=UTC), said)
    for number in range(6):
        text = said.prose(90)
        request = {
            "system": f"Contract {number}. Sum it up.",
            "messages": [{"role": "user", "content": text + "\nAccount DE89 3704 0044 0532 0130 00."}],
        }
        desk.anthropic(f"contract-{number}", request, [{"type": "text", "text": said.prose(5)}], cached=True)
        desk.wait(minutes=25)
    return desk


def tags(provider: Provider) -> Service:
    """A nightly job that asks for one product at a time, in the dearest lane; it breaks off once and starts again."""
    said = Writer(75)
    job = Service(provider, "product-tags", "catalogue", "gpt-4.1-mini", datetime(2026, 3, 11, 1, tzinfo=UTC), said)
    products = [f"Product {number}: {said.prose(5)}" for number in range(36)]
    for number in [*range(6), *range(36)]:
        messages = [
            {"role": "system", "content": "Give three tags for the product. Tags: " + " ".join(TOOLS)},
            {"role": "user", "content": products[number]},
        ]
        lane = "priority" if number % 3 else "default"
        job.openai("tags-0311", {"messages": messages}, {"content": said.prose(1)}, lane=lane)
        job.wait(seconds=20)
    return job


def reviews(job_at: datetime) -> list[dict[str, Any]]:
    """A batch as it is downloaded: replies without their requests, at half the price."""
    said = Writer(76)
    rows = []
    for number in range(24):
        text = said.prose(2)
        usage = {"prompt_tokens": 900 + 7 * number, "completion_tokens": count(text)}
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        body = {
            "id": f"chatcmpl-reviews{number:04d}",
            "object": "chat.completion",
            "created": int(job_at.timestamp()) + number,
            "model": "gpt-4.1-mini",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": usage,
        }
        response = {"status_code": 200, "request_id": f"req_{number}", "body": body}
        rows.append({"id": f"batch_{number}", "custom_id": f"review-{number}", "response": response, "error": None})
    return rows


def catalogue(provider: Provider, begin: datetime) -> list[dict[str, Any]]:
    """Two agents that send each other the same words until somebody looks, and a model of the shop's own; in modicum's
    own format."""
    said = Writer(77)
    rows: list[dict[str, Any]] = []

    def call(task: str, agent: str, model: str, at: datetime, messages: list[dict[str, Any]], reply: str) -> None:
        finished = at + timedelta(seconds=3)
        prompt = parts_of({"messages": messages})
        counts = provider.implicit(model, prompt, (at, finished)) if model.startswith("gpt") else None
        read, size = counts.read if counts else 0, sum(part.tokens for part in prompt)
        rows.append(
            {
                "modicum": 1,
                "call_id": f"{task}:{len(rows)}",
                "source": "catalogue",
                "provider": "openai" if model.startswith("gpt") else "",
                "model": model,
                "started": at.isoformat(),
                "finished": finished.isoformat(),
                "task": task,
                "conversation": f"{task}/{agent}",
                "agent": agent,
                "owner": {"team": "catalogue", "app": "copywriters"},
                "usage": {"input_uncached": size - read, "cache_read": read, "output_visible": count(reply)},
                "messages": list(messages),
            }
        )

    for number in range(3):
        task, at = f"copy-{number}", begin + timedelta(days=number)
        texts = {"writer": said.prose(12), "critic": said.prose(9)}
        held: dict[str, list[dict[str, Any]]] = {
            agent: [{"role": "system", "content": f"You are the {agent}. {said.prose(4)}"}] for agent in texts
        }
        heard = said.prose(3)
        for turn in range(12 if number == 1 else 4):
            agent = ("writer", "critic")[turn % 2]
            if number != 1:
                texts[agent] = said.prose(9)
            held[agent].append({"role": "user", "content": heard})
            call(task, agent, "gpt-4.1-mini", at, held[agent], texts[agent])
            held[agent].append({"role": "assistant", "content": texts[agent]})
            heard = texts[agent]
            at += timedelta(seconds=6)
    for number in range(12):
        asked = [{"role": "user", "content": f"Which shelf? {said.prose(2)}"}]
        call(f"shelf-{number}", "", "shop-shelves-7b", begin + timedelta(hours=number), asked, said.noun())
    return rows
