import sys
from decimal import Decimal

import pytest

from modicum.calls import Basis, UserError
from modicum.calls.outside.tabular import Tabular


class Two(Tabular):
    def to_dicts(self):
        return [
            {"name": "<a>", "usage": {"cache_read": 5}, "cost_usd": Decimal("1.5"), "basis": Basis.EXACT},
            {"name": "b", "usage": {}, "cost_usd": None, "basis": Basis.UNKNOWN, "note": "x"},
        ]


def test_a_frame_has_flat_columns_and_dollars_as_floats():
    frame = Two().to_pandas()

    assert list(frame.columns) == ["name", "usage.cache_read", "cost_usd", "basis", "note"]
    assert frame["cost_usd"][0] == 1.5
    assert frame["basis"].tolist() == ["exact", "unknown"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_library_that_is_not_there_is_named_with_the_way_without(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(UserError, match=rf"pip install {library}.*to_dicts"):
        getattr(Two(), f"to_{library}")()


@pytest.mark.parametrize("fault", ["ValueError('numpy.dtype size changed')", "AttributeError('np.float_ is gone')"])
def test_a_pandas_of_before_numpy_2_is_said_to_be_too_old(tmp_path, monkeypatch, fault):
    (tmp_path / "pandas.py").write_text(f"raise {fault}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pandas", raising=False)

    with pytest.raises(UserError, match=r"(numpy.dtype|np.float_).*pip install --upgrade pandas.*to_dicts"):
        Two().to_pandas()


def test_a_notebook_shows_a_table_whose_names_are_text():
    page = Two()._repr_html_()

    assert "&lt;a&gt;" in page
    assert "<a>" not in page
