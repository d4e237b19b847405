"""The console over the sample, in a real browser."""

import pytest

from modicum.console.pages import PAGES


@pytest.mark.parametrize("page", [*(page.name for page in PAGES), "users", "account", "login"])
def test_every_page_is_alive_with_the_sample_and_can_be_used_by_everybody(
    sample_console, open_page, keep_picture, serious_faults, page
):
    shown = open_page(f"{sample_console.url}/{page}")
    something = shown.locator(".tile, table, .chart, .nothing, h1 + .quiet")
    something.first.wait_for(timeout=30_000)  # a replay takes its time
    keep_picture(shown, f"console-{page}")

    assert shown.locator("h1").count() == 1
    assert serious_faults(shown) == []


def test_the_first_page_is_the_overview_and_a_name_leads_on(sample_console, open_page, keep_picture):
    page = open_page(sample_console.url)

    assert page.locator("h1").inner_text() == "Overview"
    assert "$8.09" in page.locator(".tile").first.inner_text()
    page.locator("table a").nth(1).click()
    page.wait_for_url("**where=model*")
    keep_picture(page, "console-drilled-down")


def test_it_can_be_read_on_a_phone_and_in_the_dark(sample_console, open_page, keep_picture, serious_faults):
    page = open_page(
        f"{sample_console.url}/overview", viewport={"width": 390, "height": 800}, color_scheme="dark", is_mobile=True
    )
    keep_picture(page, "console-overview-phone-dark")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious_faults(page) == []


def test_no_page_is_wider_than_the_narrowest_screen(sample_console, open_page):
    page = open_page(f"{sample_console.url}/overview", viewport={"width": 320, "height": 800})

    for name in [one.name for one in PAGES]:
        page.goto(f"{sample_console.url}/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name


def test_without_scripts_every_page_is_the_same(sample_console, open_page):
    page = open_page(f"{sample_console.url}/overview", java_script_enabled=False)

    assert "$8.09" in page.locator(".tile").first.inner_text()
    for name in [one.name for one in PAGES]:
        page.locator("nav[aria-label=Pages] a", has_text=titles()[name]).click()
        assert page.locator("h1").inner_text() == titles()[name]
        assert page.locator(".tile, table, .nothing, .working").count() > 0
    page.goto(f"{sample_console.url}/overview")
    page.locator("input[name=since]").fill("2026-03-05")
    page.locator("button", has_text="Show").click()
    assert "since=2026-03-05" in page.url
    assert "$8.09" not in page.locator(".tile").first.inner_text()


def titles():
    return {page.name: page.title for page in PAGES}


def test_a_change_is_replayed_and_leads_to_a_figure(sample_console, open_page, keep_picture, serious_faults):
    page = open_page(f"{sample_console.url}/waste")
    page.locator("table").first.wait_for(timeout=30_000)
    page.locator(".tabs a", has_text="keep_warm=auto").click()
    table = page.locator("section", has=page.locator("#what-if"))
    table.locator("tbody tr").first.wait_for(timeout=30_000)
    keep_picture(page, "console-what-if")

    assert "keep_warm=auto" in table.locator("tbody").inner_text()
    assert "together" in table.locator("tfoot").inner_text()
    assert serious_faults(page) == []


def test_the_keyboard_reaches_what_the_mouse_does(sample_console, open_page):
    page = open_page(f"{sample_console.url}/overview")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the figures"
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/where**")
    assert page.locator("h1").inner_text() == "Where it goes"
