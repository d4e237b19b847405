import pytest

from modicum.context.tool_work import ToolWork, work_of


@pytest.mark.parametrize(
    ("tool", "work"),
    [
        ("", ToolWork.NONE),
        ("Read", ToolWork.READS),
        ("grep_search", ToolWork.READS),
        ("Edit", ToolWork.WRITES),
        ("apply_patch", ToolWork.WRITES),
        ("Bash", ToolWork.OTHER),
    ],
)
def test_a_tool_is_judged_by_its_name(tool, work):
    assert work_of(tool) is work
