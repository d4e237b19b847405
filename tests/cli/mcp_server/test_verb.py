import asyncio
import sys

from mcp import Client, StdioServerParameters, stdio_client


def test_an_agent_starts_it_and_asks_over_its_streams(home):
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "modicum", "mcp"], env={"HOME": str(home), "XDG_DATA_HOME": str(home)}
    )

    async def call():
        async with Client(stdio_client(server)) as client:
            return await client.call_tool("count_tokens", {"text": "hello world", "model": "gpt-4o"})

    assert '"tokens": 2' in asyncio.run(call()).content[0].text


def test_without_the_extra_it_says_what_to_install(modicum, monkeypatch):
    monkeypatch.setitem(sys.modules, "modicum.cli.mcp_server.server", None)

    assert "modicum[mcp]" in modicum("mcp").err


def test_a_path_that_leads_nowhere_is_named(modicum):
    assert "there is no file or folder nowhere" in modicum("mcp", "nowhere").err
