from modicum.calls import Basis
from modicum.console.page import BASES, Cell, Content, Table


def test_every_basis_is_explained():
    assert set(BASES) == set(Basis)


def test_a_table_is_found_by_the_name_of_its_file():
    table = Table(name="t", columns=["a"], rows=[])

    assert Content(tables=[table]).table("t") is table
    assert Content(tables=[table]).table("u") is None


def test_of_many_rows_a_page_shows_some_and_names_are_found():
    table = Table(name="t", columns=["a", "b"], rows=[[Cell(f"Name{n}"), Cell("9")] for n in range(10_000)])

    def shown(find="", first=""):
        rows, at, fitting = table.show(find, first)
        return rows[0][0].text if rows else "", len(rows), at, fitting

    assert shown() == ("Name0", 50, 0, 10_000)
    assert shown(first="9980") == ("Name9980", 20, 9980, 10_000)
    assert shown("name999") == ("Name999", 11, 0, 11)
    assert shown("name999", "10") == ("Name9999", 1, 10, 11)
    assert shown("nobody") == ("", 0, 0, 0)
    assert [shown(first=word)[2] for word in ("10000", "-5", "x", "\u00b2", "0" * 5000)] == [0] * 5
