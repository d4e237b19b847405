from modicum.reports.kind_words import name_of_kind


def test_kinds_have_names_that_people_know_and_unknown_ones_stay():
    assert name_of_kind("prefix") == "system prompt and tools"
    assert name_of_kind("holograms") == "holograms"
