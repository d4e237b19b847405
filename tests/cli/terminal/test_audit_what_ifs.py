from modicum.cli.terminal.audit_what_ifs import describe_waiting, format_sooner
from modicum.insights.changes.waiting import WaitingSaved


def test_waiting_is_shown_with_its_interval_and_its_direction():
    waiting = WaitingSaved(seconds=-120.0, low_s=-60.0, high_s=-180.0, per_call_s=-0.25)

    assert format_sooner(0.1) == "0.10 s sooner"
    assert describe_waiting(waiting) == (
        "first tokens 0.25 s later a call, in all -2.0 min of waiting saved [-3.0, -1.0]"
    )


def test_an_audit_says_what_is_missing_to_speak_of_seconds(modicum, transcripts):
    shown = modicum("audit", transcripts, "--what-if", "cache_ttl=1h").out

    assert "what changes do to waiting is not known: only" in shown
