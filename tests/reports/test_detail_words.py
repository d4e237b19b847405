from modicum.reports.detail_words import describe_detail


def test_details_are_sentences():
    assert describe_detail("results_unread", 12) == "12 of them nothing referred to"
    assert describe_detail("longest_pause_s", 7200.0) == "the longest pause was 120 min"
    assert describe_detail("priority_usd", 3.5) == "the priority lane cost $3.50"
    assert describe_detail("unread_share", 0.25) == "25.0 % of the judged tokens were never referred to"


def test_a_detail_that_nobody_wrote_a_sentence_for_keeps_its_name():
    assert describe_detail("new_thing_usd", 1.0) == "new thing: $1.00"
    assert describe_detail("skill", "2 of 3") == "skill: 2 of 3"
