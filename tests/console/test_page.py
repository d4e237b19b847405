from modicum.calls import Basis
from modicum.console.page import BASES, Content, Table


def test_every_basis_is_explained():
    assert set(BASES) == set(Basis)


def test_a_table_is_found_by_the_name_of_its_file():
    table = Table(name="t", columns=["a"], rows=[])

    assert Content(tables=[table]).table("t") is table
    assert Content(tables=[table]).table("u") is None
