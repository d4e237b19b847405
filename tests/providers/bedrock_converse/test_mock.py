from modicum.providers.bedrock_converse.mock import MOCK

TOOLS = {"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}, {"cachePoint": {}}]}


def test_tools_and_which_of_them_must_be_called():
    assert list(MOCK.tools({"toolConfig": TOOLS})) == [("look", {"type": "object"})]
    assert MOCK.forces_tool({"toolConfig": {**TOOLS, "toolChoice": {"any": {}}}})
    assert not MOCK.forces_tool({"toolConfig": {**TOOLS, "toolChoice": {"auto": {}}}})
    assert MOCK.chosen_tool({"toolConfig": {"toolChoice": {"tool": {"name": "look"}}}}) == "look"
