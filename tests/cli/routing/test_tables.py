from modicum.cli.routing.tables import print_evaluation
from modicum.routing.evaluation import Evaluation


def test_a_pair_without_a_gain_is_said_in_words(capsys):
    print_evaluation(Evaluation("a", "b", 100, 5, False, (), (), {"a": (0.5, None), "b": (0.5, 1.0)}), "usd")  # noqa: FBT003

    shown = capsys.readouterr().out
    assert "b is no better than a: there is no gain to keep a share of." in shown
    assert "unknown" in shown
