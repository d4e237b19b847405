import msgspec
import pytest

from agents.teams import plan
from modicum.agents.attribution import attribute
from modicum.agents.plan_rules import EarlyExit, Evidence, Learned, Mute, Substitute
from modicum.agents.recordings import RecordedRow, build_team
from modicum.cli.team.tables import print_attribution, print_edits, print_plan

EVIDENCE = Evidence(
    basis="replay",
    tasks_count=40,
    score_full=0.9,
    score_plan=0.88,
    change=-0.02,
    change_low=-0.05,
    change_high=0.01,
    confidence=0.95,
    margin=0.03,
    tokens_saved_share=0.31,
    exact=False,
)


def test_a_plan_is_shown_with_all_that_it_does(capsys):
    print_plan(
        plan(
            rounds=2,
            drop=["a"],
            mute=(Mute("b", "c", round=2),),
            substitute=(Substitute("c", "small"),),
            early_exit=EarlyExit(agree=2, of=3, first=("b", "c")),
            stop_after_round=1,
            evidence=EVIDENCE,
            learned=Learned("trace", runs_count=12),
            expires="2020-01-31",
        )
    )
    shown = capsys.readouterr().out

    for line in (
        "a in every round",
        "b to c, both kinds, round 2",
        "c on small",
        "when 2 of 3 agree, asking b, c first",
        "after round 1",
        "replay of 40 tasks: score 0.900 to 0.880, -2.0 points (-5.0 to +1.0), 31.0 % fewer tokens; a bound",
        "no: run 'modicum team verify'",
        "by trace from 12 recorded runs and 0 trials (0 tokens)",
        "the plan expired on 2020-01-31, the full team runs",
    ):
        assert line in shown


def test_a_plan_with_many_mutes_names_some_and_counts_the_rest(capsys):
    print_plan(plan(mute=tuple(Mute("a", "b", round=number) for number in range(1, 31))))

    assert "... and 10 more" in capsys.readouterr().out


def test_edits_are_a_table_or_a_sentence(capsys):
    print_edits(
        [
            {
                "agent_team": "sim",
                "rule": "team_plan.drop",
                "calls": 3,
                "calls_spared": 2,
                "tokens_before": 1200,
                "tokens_after": 0,
            }
        ]
    )
    assert "1,200" in capsys.readouterr().out

    print_edits([])
    assert "no plan changed a call" in capsys.readouterr().out


@pytest.mark.parametrize(("reads", "marks"), [(None, True), ([{"agent": "a", "round": 1, "tokens": 7}], False)])
def test_edges_that_no_record_shows_are_marked(capsys, reads, marks):
    lines = [
        {"run": "1", "agent": "a", "round": 1, "answer": "x", "prompt_tokens": 9, "completion_tokens": 5, "reads": []},
        {"run": "1", "agent": "b", "round": 1, "answer": "x", "prompt_tokens": 9, "completion_tokens": 5}
        | ({} if reads is None else {"reads": reads}),
    ]
    found = [(number, msgspec.convert(line, RecordedRow)) for number, line in enumerate(lines)]

    print_attribution(attribute(build_team(found, path="x")[0]))

    out = capsys.readouterr().out
    assert ("? assumed" in out, "~ assumed" in out) == (marks, marks)
    assert ("1?" in out, "5~" in out) == (marks, marks)
