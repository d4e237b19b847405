from insights.trends.test_context_sizes import planted
from modicum.cli.terminal.audit_context_sizes import print_context_sizes
from modicum.insights.trends.context_sizes import sum_by_context_size


def test_rows_differences_and_confounders_are_shown(capsys):
    print_context_sizes(sum_by_context_size(planted()))

    shown = capsys.readouterr().out
    assert "100,000 tokens" in shown
    assert "tasks with an outcome above 0: -" in shown
    assert "within one model and project (60)" in shown
    assert "no cause: hard tasks take more calls" in shown
