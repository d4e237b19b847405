from modicum.calls.anatomy import SegmentKind
from modicum.calls.prompt import Unit
from modicum.routing.stage import read_stage


def units(results):
    made = []
    for failed in results:
        made.append(Unit(len(made), SegmentKind.TOOL_CALL, tool="edit" if failed else "read"))
        made.append(Unit(len(made), SegmentKind.TOOL_RESULT, is_error=failed))
    return made


def test_a_stage_counts_depth_errors_and_the_last_tool():
    stage = read_stage(units([False, True, False, True, True]))

    assert (stage.depth, stage.errors, stage.errors_in_a_row, stage.last_tool) == (5, 3, 2, "edit")
    assert stage.needs_best


def test_a_conversation_without_tools_has_no_stage_to_speak_of():
    stage = read_stage([Unit(0, SegmentKind.USER)])

    assert (stage.depth, stage.errors, stage.last_tool, stage.needs_best) == (0, 0, "", False)
