import re

import pytest

from insights.planted import EVER, PRICES, START, Conversation, tool_round, user
from modicum.calls import Outcome, Usage
from modicum.insights.audit import audit, audit_document
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.reports.page import render_page


@pytest.fixture
def told():
    """The document of an audit that finds a long result, a re-read and a lost cache."""
    talk = Conversation("<task>").call(user("do", 5000))
    for name in ("a", "a", "b"):
        talk.call(*tool_round("Read", name, f"text of {name}", 3000))
    talk.call(user("now?", 100), after=1200, usage=Usage(0, 0, talk.tokens + 100, 0, 30))
    store = open_store(":memory:")
    store.append(talk.entries)
    store.append_records(OUTCOMES, [Outcome(outcome_id="o", task="<task>", name="resolved", value=1.0, time=START)])
    yield audit_document(audit(store, PRICES, EVER, what_ifs=["cap_tool_results=1000"]))
    store.close()


def test_every_section_appears(told):
    found = re.findall(r"<h[12]>(.*?)</h[12]>", render_page(told))

    assert found == [
        "Where the tokens went",
        "To do first",
        "What if",
        "Where the money went",
        "Models and projects",
        "Day by day",
        "When the cache was lost",
        "If tool results were cut when they arrive",
        "What rules would have saved",
        "Findings",
        "Not computed",
    ]


def test_the_sum_is_as_sure_as_in_the_bill(told):
    bound = told | {"spend": told["spend"] | {"basis": "lower_bound"}}

    assert "<b>at least $" in render_page(bound)
    assert "<b>at least $" not in render_page(told | {"spend": told["spend"] | {"basis": "exact"}})


def test_the_page_says_of_what_it_is_and_what_was_wrong_with_the_logs(told):
    more = {
        "place": "/logs/<a>",
        "made_at": "2026-03-04T05:06:07Z",
        "problems": [{"path": "<odd>.jsonl", "line": 3, "reason": "not valid JSON"}] * 25,
    }
    html = render_page(told | more)

    assert "from /logs/&lt;a&gt;; made 2026-03-04 05:06 UTC" in html
    assert "&lt;odd&gt;.jsonl:3" in html
    assert "And 5 more." in html


def test_days_without_calls_are_drawn_and_counted(told):
    day = told["days"][0]
    days = [day | {"date": date} for date in ("2026-02-27", "2026-03-02")]

    assert "2 days with calls, 2 without any." in render_page(told | {"days": days})
    assert "without any.</p>" not in render_page(told | {"days": [day | {"date": "1999-01-01"}, day]})


def test_everything_lies_in_the_main_landmark_and_tables_take_the_focus(told):
    html = render_page(told)

    assert html.count("<main>") == html.count("</main>") == 1
    assert html.count('<div class="scroll" tabindex="0" role="region" aria-label="') == html.count("<table>") > 0


def test_a_finding_says_what_it_is_what_to_do_and_where_to_look(told):
    row = next(row for row in told["findings"] if row["name"] == "reread_files")
    html = render_page(told)
    card = html[html.index('id="reread_files"') :]
    card = card[: card.index("</section>")]

    assert row["title"] in card
    assert "Remedy." in card
    assert "&lt;task&gt;.2" in card


@pytest.mark.parametrize(("name", "words"), [("reread_files", "saves $"), ("carried_results", "saves at most $")])
def test_what_no_replay_has_shown_is_told_as_a_bound(told, name, words):
    card = render_page(told).partition(f'id="{name}"')[2].partition("</header>")[0]

    assert f'<span class="saves">{words}' in card


def test_names_from_logs_are_text_and_never_markup(told):
    assert "<task>" not in render_page(told)


def test_nothing_is_fetched_and_no_script_runs(told):
    html = render_page(told)

    assert "<script" not in html
    assert not re.search(r"(?:src|href)=", html)
    assert "url(" not in html


def test_an_audit_without_waste_says_so(told):
    told["findings"] = [{**row, "calls": 0} for row in told["findings"]]
    told |= {"first_steps": [], "cap_curve": [], "what_if": [], "cache_timeline": None, "days": []}

    assert "No waste of the known kinds was found." in render_page(told)
