import re
from pathlib import Path

from modicum.calls.words import percentages
from modicum.calls.words.percentages import percent


def test_a_share_is_written_in_percent():
    assert [percent(share) for share in (0, 0.1234, 1, -0.05)] == ["0.0 %", "12.3 %", "100.0 %", "-5.0 %"]
    assert [percent(share, 0) for share in (0.1234, 0.999)] == ["12 %", "100 %"]
    assert [percent(share, None) for share in (0.1, 0.125, 0.95)] == ["10 %", "12.5 %", "95 %"]
    assert [percent(share, sign="+") for share in (0.1, -0.1)] == ["+10.0 %", "-10.0 %"]


def test_no_other_place_writes_a_share_its_own_way():
    own_way = re.compile(r":[+,]?(?:\.\d)?%\}|:[+,]?\.\df\} %|\d%(?= (?:of|left|less|more|utilisation)\b)")
    house = Path(percentages.__file__).parents[2]

    assert [
        f"{path.relative_to(house)}: {found[0]}"
        for path in sorted(house.rglob("*.py"))
        if path != Path(percentages.__file__)
        for found in own_way.finditer(path.read_text(encoding="utf-8"))
    ] == []
