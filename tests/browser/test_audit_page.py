"""The audit's page over the sample, in a real browser."""

import gzip

import pytest

from modicum.cli import main

LONG = "a" * 300
NAMES = (f"/home/ada/{LONG}", "/home/ada/\u05e9\u05dc\u05d5\u05dd\u202e", "/home/ada/\U0001f680 shop")


@pytest.fixture(scope="module")
def audit_page(tmp_path_factory):
    """The page, with names of projects that do not fit."""
    from modicum.cli.inputs.found_logs import _sample_folder

    folder = tmp_path_factory.mktemp("logs")
    for number, path in enumerate(sorted((_sample_folder() / "logs").rglob("*.jsonl*"))):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        (folder / f"{number}.jsonl").write_text(
            text.replace('"/home/ada/shop"', f'"{NAMES[number % 3]}"'), encoding="utf-8"
        )
    page = folder / "audit.html"
    with pytest.raises(SystemExit) as stop:
        main(["audit", str(folder), "--html", str(page)])
    assert not stop.value.code
    return page.as_uri()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_used_by_everybody_at_every_width(audit_page, open_page, keep_picture, serious_faults, width, scheme):
    page = open_page(audit_page, viewport={"width": width, "height": 900}, color_scheme=scheme)
    keep_picture(page, f"audit-{width}-{scheme}")

    assert page.locator("main h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious_faults(page) == []


def test_it_prints_in_black_on_white_with_nothing_cut(audit_page, open_page, keep_picture):
    page = open_page(audit_page, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    keep_picture(page, "audit-print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(one => getComputedStyle(one).overflowX === 'visible')"
    )
