import pytest

from modicum.metering.content_kinds import find_content_kind


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("src/app.py", "code"),
        ("Main.JAVA", "code"),
        ("README.md", "prose"),
        ("data.json", ""),
        ("Makefile", ""),
        (".gitignore", ""),
        ("odd.c x", ""),
        ("-", ""),
    ],
)
def test_the_kind_of_content_is_known_by_the_suffix(name, content):
    assert find_content_kind(name) == content
