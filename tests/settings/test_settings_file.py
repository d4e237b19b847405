import pytest

from modicum.calls import UserError
from modicum.settings import ledger_place, price_file_place, read_settings


def test_without_a_file_everything_has_a_default(home):
    settings = read_settings({})

    assert (settings.timezone, settings.keep_days) == ("", 0)
    assert ledger_place(settings) == str(home / "xdg_data_home" / "modicum" / "ledger.duckdb")
    assert price_file_place(settings) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('# mine\nkeep_days = "a week"\n', r"modicum\.toml:2: .*keep_days.*accepted are ledger"),
        ('timezone = "Berlin"\n', r"modicum\.toml:1: there is no time zone 'Berlin'"),
        ("keep_days = -1\n", r":1: keep_days is a number of days"),
        ("keep_days = 9000000\n", r":1: keep_days is a number of days up to 36,500"),
        ("colour = 1\n", "colour"),
        ("[gateway]\nmost_calls = 0\n", r":2: gateway.most_calls is a number, 1 or more"),
        (
            "[gateway]\nmost_bodies_mb = 9\n",
            r":2: gateway.most_bodies_mb is a number of megabytes, at least most_body_mb",
        ),
        (
            '[upstreams.a]\nurl = "http://a/v1"\nspeaks = "openai"\nmost_calls = 4001\n',
            r"upstreams.a.most_calls is a number from 1 to gateway.most_calls \(4,000\)",
        ),
        ('[teams.support]\nplna = "x"\n', r":2: .*`plna`.*accepted are plan .*marks"),
        (
            '[teams.s]\nplan = "x"\nanswer = "ANSWER"\n',
            r":3: teams.s.answer must be a regular expression with one group",
        ),
        ('[teams.s]\nplan = "x"\nanswer = "("\n', r":3: teams.s.answer must be"),
        ('[teams.s]\nplan = "x"\nmarks = ["{agent}"]\n', r":3: teams.s.marks must be texts that hold {agent} and"),
        ('[teams.s]\nplan = "x"\nmargin = 2\n', r":3: teams.s.margin must be a share"),
        ('[teams.s]\nplan = "x"\ndropped = "hang up"\n', r":3: .*dropped.*accepted"),
        (
            '[gateway]\nhosts = ["a.example", "https://b.example"]\n',
            r":2: gateway.hosts holds 'https://b.example'; .*as",
        ),
        ('[gateway]\nhosts = ["b.example:4000"]\n', r":2: gateway.hosts holds"),
        ('[gateway]\nhosts = ["*.example"]\n', r":2: gateway.hosts holds"),
        ('[gateway]\nhosts = [""]\n', r":2: gateway.hosts holds"),
        ('[gateway]\nhosts = "a.example"\n', r":2: .*array.*accepted are listen .*hosts"),
        ('[gateway]\n\ncors_origins = ["*"]\n', r":3: gateway.cors_origins holds '\*'; .*as 'https://app.example.com'"),
        ('[gateway]\ncors_origins = ["null"]\n', r":2: gateway.cors_origins holds"),
        ('[gateway]\ncors_origins = ["https://a.example/"]\n', r":2: gateway.cors_origins holds"),
        ('[gateway]\ncors_origins = ["https://a.example:443"]\n', r":2: gateway.cors_origins holds"),
        ('[gateway]\ncors_origins = ["https://*.example"]\n', r":2: gateway.cors_origins holds"),
        ('[gateway]\ncors_origins = ["a.example"]\n', r":2: gateway.cors_origins holds"),
        ('[gateway]\ncors_origins = ["https://A.example"]\n', r":2: gateway.cors_origins holds"),
        ("ledger = \n", "no valid TOML"),
    ],
)
def test_a_wrong_value_names_file_line_and_what_is_accepted(tmp_path, text, reason):
    path = tmp_path / "modicum.toml"
    path.write_text(text)

    with pytest.raises(UserError, match=reason):
        read_settings({"MODICUM_CONFIG": str(path)})


def test_a_named_file_that_has_gone_is_an_error_and_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"gone\.toml: there is no such settings file.* bring it back, or unset"):
        read_settings({"MODICUM_CONFIG": str(tmp_path / "gone.toml")})
