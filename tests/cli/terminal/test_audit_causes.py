from modicum.cli.terminal.audit_causes import print_causes
from modicum.insights.audit import NamedBreaks


def row(version, breaks, **fields):
    usual = {"cause": "skill", "title": "Skills loaded in mid-session", "remedy": "update", "evidence": "measured"}
    rest = {"source": "claude-code", "version": version, "breaks": breaks, "steps": 9, "lost_usd": float(breaks)}
    return NamedBreaks(**{**usual, **rest, "lift_low": 6.54, "contradicted": 0} | fields)


def test_a_cause_with_its_versions_and_what_to_do(capsys):
    print_causes([row("2.1.29", 3), row("2.1.30", 1, lift_low=7.0), row("1", 1, cause="x", title="Other", remedy="")])

    assert capsys.readouterr().out.splitlines() == [
        "",
        "why caches broke (B2):",
        "  Skills loaded in mid-session: 4 breaks, $4.00",
        "     claude-code 2.1.29: 3 of 9, claude-code 2.1.30: 1 of 9; at least 6.5 times as often as without it",
        "     update",
        "  Other: 1 break, $1.00",
        "     claude-code 1: 1 of 9; at least 6.5 times as often as without it",
    ]


def test_contradictions_are_shown_and_many_versions_cut(capsys):
    print_causes([row(f"2.{number}", 1, contradicted=1, lift_low=None, evidence="documented") for number in range(6)])

    assert "and 2 more versions; documented by the provider; its diagnostics contradict 6" in capsys.readouterr().out
    print_causes([])
    assert capsys.readouterr().out == ""
