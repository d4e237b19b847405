import asyncio
import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from mcp import Client

from modicum.cli.mcp_server.server import CallSubject, make_server


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("0302-label.jsonl", "0302-voucher.jsonl"):
        shutil.copy(Path(str(files("modicum"))) / "sample" / "logs" / name, folder)
    return folder


def ask(subject, tool, **arguments):
    """What the official client is answered."""

    async def call():
        async with Client(make_server(subject)) as client:
            return await client.call_tool(tool, arguments)

    result = asyncio.run(call())
    return result.is_error, result.content[0].text


def test_every_tool_only_reads_and_explains_its_arguments():
    async def list_tools():
        async with Client(make_server(CallSubject(None))) as client:
            return (await client.list_tools()).tools

    tools = asyncio.run(list_tools())

    assert [tool.name for tool in tools] == [
        "get_bill",
        "get_session_cost",
        "get_waste",
        "get_price",
        "count_tokens",
        "get_memory_plan",
    ]
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)


def test_the_bill_is_that_of_the_verb(modicum, logs):
    printed = modicum("bill", logs, "--by", "day", "--json").json

    failed, text = ask(CallSubject((logs,)), "get_bill", by="day")

    answer = json.loads(text)
    assert not failed
    assert answer["total"]["cost_usd"] == printed["cost_usd"]
    assert {row["name"]: row["cost_usd"] for row in answer["rows"]} == {
        row["name"]: row["cost_usd"] for row in printed["rows"]
    }


def test_the_newest_session_is_meant_where_none_is_named(modicum, logs):
    tasks = modicum("bill", logs, "--by", "task", "--json").json["rows"]

    _, newest = ask(CallSubject((logs,)), "get_session_cost")
    _, other = ask(CallSubject((logs,)), "get_session_cost", session=tasks[0]["name"])

    answers = [json.loads(newest), json.loads(other)]
    assert answers[0]["session"] in {row["name"] for row in tasks}
    assert answers[1]["total"]["cost_usd"] == tasks[0]["cost_usd"]


def test_waste_comes_with_what_to_do(logs):
    _, text = ask(CallSubject((logs,)), "get_waste", most=2)

    answer = json.loads(text)
    assert len(answer["findings"]) == 2
    assert answer["findings"][0]["saving_usd"] >= answer["findings"][1]["saving_usd"]


def test_prices_counts_and_plans_need_no_calls():
    assert json.loads(ask(CallSubject(None), "count_tokens", text="hello world", model="gpt-4o")[1])["tokens"] == 2
    assert json.loads(ask(CallSubject(None), "get_price", model="gpt-5")[1])[0]["lane"] == "standard"
    plan = json.loads(ask(CallSubject(None), "get_memory_plan", model="granite-4.0-h-small", gpu="h200")[1])
    assert plan["fits"] is True


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("get_bill", {"by": "weather"}, "weather"),
        ("get_bill", {}, "is empty"),
        ("get_memory_plan", {"model": "no-such-model"}, "no-such-model"),
    ],
)
def test_what_cannot_be_answered_says_why(tool, arguments, words):
    failed, text = ask(CallSubject(None), tool, **arguments)

    assert failed
    assert words in text
