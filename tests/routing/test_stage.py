from modicum.calls.anatomy import SegmentKind
from modicum.calls.prompt import Unit
from modicum.routing.stage import STEP_FEATURES, Phase, Stage, read_stage, read_steps, step_features


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


def call(tool):
    return Unit(0, SegmentKind.TOOL_CALL, tool=tool)


def result(*, failed=False):
    return Unit(0, SegmentKind.TOOL_RESULT, is_error=failed)


def test_phases_go_from_exploring_to_changing_and_checking():
    parts = [call("Read"), result(), call("Edit"), result(), call("Bash"), result()]

    assert [read_stage(parts[:count]).phase for count in (0, 2, 4, 6)] == [
        Phase.BEGUN,
        Phase.EXPLORING,
        Phase.CHANGING,
        Phase.CHECKING,
    ]


class Counted(Unit):
    """Each part has ten tokens."""

    tokens = 10


def test_steps_are_the_moments_at_which_a_model_was_asked():
    kinds = ["SYSTEM", "USER", "REASONING", "TOOL_CALL", "TOOL_RESULT", "TOOL_RESULT", "ASSISTANT", "USER"]
    steps = read_steps([Counted(0, SegmentKind[kind], tool="Read") for kind in kinds])

    assert [step.tokens for step in steps] == [20, 60, 80]
    assert [step.stage.depth for step in steps] == [0, 2, 2]


def test_features_tell_stages_apart_and_name_what_they_are():
    failed, calm = step_features([Stage(4, 2, 2, "Edit", has_written=True), Stage(4, 0, 0, "Read")])
    by_name = dict(zip(STEP_FEATURES, failed, strict=True))

    assert (by_name["share_of_errors"], by_name["errors_in_a_row"]) == (0.5, 2)
    assert (by_name["last_tool_writes"], by_name["phase_changing"]) == (1, 1)
    assert calm[STEP_FEATURES.index("phase_exploring")] == 1
