def test_the_third_way_is_the_bill(modicum, transcripts):
    ways = {row["way"]: row for row in modicum("bill", "--counting", transcripts, "--json").json["ways"]}
    bill = modicum("bill", transcripts, "--json").json

    assert ways["greatest_row"]["cost_usd"] == bill["cost_usd"]
    assert ways["greatest_row"]["records"] == bill["calls"]
    assert ways["every_row"]["records"] > bill["calls"]
    assert ways["greatest_row_output_estimated"]["records"] == bill["calls"]


def test_the_table_says_which_way_is_whose(modicum, transcripts):
    out = modicum("bill", "--counting", transcripts).out

    assert "ccusage daily" in out
    assert "ccusage session" in out


def test_a_ledger_cannot_be_counted_anew(modicum):
    assert "the ledger keeps no rows" in modicum("bill", "--counting").err
