from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.agents.recordings import ReadMessage, build_team, read_rows


def test_what_is_recorded_can_be_read_back():
    recorder = TeamRecorder("t", answer_of=lambda reply: reply[-2], key=b"secret")
    recorder.turn(
        "1", "a", 1, AgentReply(reply="I choose (B)", prompt_tokens=5, completion_tokens=2, instructions="be brief")
    )
    recorder.turn("1", "b", 1, AgentReply(reply="rather (C)", reads=(ReadMessage("a", 1, 2),)))
    recorder.result("1", "B", gold="(b)")

    rows, problems = read_rows(recorder.jsonl().splitlines(), "x")
    team, more = build_team(rows, path="x")

    assert problems == more == []
    [run] = team.runs
    assert [run.own_score(turn) for turn in run.turns] == [1.0, 0.0]
    assert run.worth(run.answer) == 1.0
    assert run.turns[1].reads == (ReadMessage("a", 1, 2),)


def test_no_text_is_kept_unless_asked_for():
    words = "the password is hunter2"

    for keep, found in ((False, False), (True, True)):
        recorder = TeamRecorder("t", keep_text=keep)
        recorder.turn("1", "a", 1, AgentReply(reply=words, instructions=words))
        recorder.result("1", words)
        assert ("hunter2" in recorder.jsonl()) is found


def test_an_abstention_stays_one():
    recorder = TeamRecorder("t")
    recorder.turn("1", "a", 1, AgentReply(reply=None))
    recorder.turn("1", "b", 1, AgentReply(reply="None."))

    assert [row.answer for row in recorder.rows] == [None, None]
    assert [row.step for row in recorder.rows] == [0, 1]
