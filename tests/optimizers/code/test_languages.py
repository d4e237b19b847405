"""In which language a text is, by its name or by how its lines begin."""

import pytest

from modicum.calls import UserError
from modicum.calls.extras import import_module
from modicum.optimizers.code import languages
from modicum.optimizers.code.languages import LANGUAGES, language_of_name, language_of_text, parser_of

TEXTS = {
    "python": "import re\n\n\nclass Cart:\n    def total(self):\n        return 1\n",
    "go": "package cart\n\ntype Cart struct {\n}\n\nfunc (c *Cart) Total() int {\n\treturn 1\n}\n",
    "rust": "use std::fmt::Debug;\n\npub struct Cart;\n\nimpl Cart {\n    pub fn total(&self) -> u32 {\n    }\n}\n",
    "java": "package shop;\n\nimport java.util.List;\n\npublic class Cart {\n    public void add(int a) {\n    }\n}\n",
    "typescript": "import { x } from './x'\n\nexport interface Cart {\n  a: number\n}\n\nexport class Shop {\n}\n",
    "javascript": "const x = require('x')\n\nasync function total(cart) {\n}\n\nfunction add(cart) {\n}\n",
}


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_text_shows_its_language_and_is_read_without_an_error(name):
    language = language_of_text(TEXTS[name])

    assert language.name == name
    assert not parser_of(language).parse(TEXTS[name].encode()).root_node.has_error


def test_a_name_says_the_language_by_its_ending():
    names = {"src/Cart.JAVA": "java", "a.tsx": "tsx", "a.d.ts": "typescript", "b.mjs": "javascript", "c.pyi": "python"}

    assert {name: language_of_name(name).name for name in names} == names
    assert [language_of_name(name) for name in ("", "README.md", "py")] == [None] * 3


@pytest.mark.parametrize(
    "text", ["", "a line\n" * 40, '{"import": 1}', "import re\nimport os\n", "# title\n\nimport it\n"]
)
def test_what_shows_too_little_of_any_is_in_none(text):
    assert language_of_text(text) is None


def test_packages_that_are_missing_are_said_with_what_to_type(monkeypatch):
    monkeypatch.setattr("modicum.calls.extras.import_module", lambda name: import_module(f"{name}_missing"))
    parser_of.cache_clear()

    with pytest.raises(UserError, match=r"reading code needs a package that is not installed: .*\[code\]"):
        parser_of(LANGUAGES[0])
    assert languages.EXTRA == "code"


def test_without_the_packages_it_is_said_what_to_type(monkeypatch):
    assert languages.why_unread() == ""
    monkeypatch.setattr(languages, "PACKAGE", "no_such_package")
    assert "[code]" in languages.why_unread()
