from modicum.ledger_process.watching import question_timer
from modicum.ledger_process.watching.question_timer import QuestionTimer


def test_a_question_is_due_at_once_and_again_when_the_time_has_passed(monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr(question_timer, "monotonic", lambda: now_s[0])
    question = QuestionTimer()

    def is_due_at(seconds):
        now_s[0] = 1000.0 + seconds
        return question.is_due(60.0)

    assert [is_due_at(seconds) for seconds in (0.0, 59.9, 60.0, 60.1, 120.0)] == [True, False, True, False, True]
