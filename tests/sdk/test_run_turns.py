from modicum.agents.plan_rules import EarlyExit
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.agents.team_plan import full_team_guard
from modicum.sdk.run_turns import RunTurns
from sdk.plans import plan


def said(text):
    return AgentReply(reply=text)


def test_without_a_plan_everybody_speaks_reads_all_and_is_recorded_by_rounds():
    recorder = TeamRecorder("support", keep_text=True)
    turns = RunTurns(full_team_guard("r"), recorder=recorder)
    for _ in range(2):
        assert turns.starts("critic")
        turns.ends("critic", said("x"))

    nothing = lambda _: None  # noqa: E731
    assert turns.sees("critic", ["a", "b"], nothing, nothing, lambda _: set()) == ["a", "b"]
    assert [(row.run, row.agent, row.round) for row in recorder.rows] == [("r", "critic", 1), ("r", "critic", 2)]


def test_once_enough_agree_only_protected_and_unknown_agents_speak():
    made = plan(["a", "b", "c", "judge"], early_exit=EarlyExit(agree=2, of=3), protect=("judge",))
    turns = RunTurns(made.guard("r"), answer_of=str.upper)
    for name in ("a", "b"):
        assert turns.starts(name)
        turns.ends(name, said("yes"))

    assert turns.agreed == "yes"
    assert [turns.starts(name) for name in ("c", "judge", "somebody else")] == [False, True, True]


def test_only_those_are_counted_whom_the_plan_asks_first():
    made = plan(["a", "b", "c"], early_exit=EarlyExit(agree=2, of=2, first=("a", "c")))
    turns = RunTurns(made.guard("r"), answer_of=lambda text: text)
    for name in ("a", "b"):
        turns.starts(name)
        turns.ends(name, said("yes"))

    assert not turns.agreed
    assert turns.starts("c")
