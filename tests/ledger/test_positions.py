from modicum.ledger import positions


def test_each_reader_has_a_position_of_its_own(tmp_path):
    journal = tmp_path / "gateway.sqlite"
    positions.write(journal, "shipped", 7)
    positions.write(journal, "exported", 5)

    assert (positions.read(journal, "shipped"), positions.read(journal, "exported")) == (7, 5)
    assert sorted(path.name for path in tmp_path.glob("gateway*")) == ["gateway.exported", "gateway.shipped"]


def test_who_has_not_begun_or_was_forgotten_has_none(tmp_path):
    journal = tmp_path / "gateway.sqlite"
    positions.forget(journal, "exported")
    positions.write(journal, "exported", 5)
    positions.forget(journal, "exported")

    assert positions.read(journal, "exported") is None


def test_a_file_that_holds_no_number_is_none(tmp_path):
    journal = tmp_path / "gateway.sqlite"
    journal.with_suffix(".exported").write_text("")

    assert positions.read(journal, "exported") is None
