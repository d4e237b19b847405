import json
import subprocess
import sys

from modicum.optimizers.all_rules import CONTENT_RULES, RULES
from optimizers.test_arrival import chat, contents, sent


def test_every_rule_has_a_name_of_its_own_a_safety_and_a_purpose():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.safety is not None and rule.purpose for rule in RULES)


def test_guards_count_before_results_change_and_references_come_after_all_that_changes_them():
    families = [rule.name.partition(".")[0] for rule in RULES]

    assert families[:3] == ["guard", "guard", "tools"]
    assert families[3:] == ["content"] * families.count("content") + ["cache"] * families.count("cache")
    assert [rule.name for rule in RULES[:2]] == ["guard.loop_stop", "guard.loop_nudge"]
    assert RULES[families.index("cache") - 1].name == "content.repeats"


def test_what_stands_under_colours_is_read_by_the_other_rules():
    rows = json.dumps([{"id": number} for number in range(30)], indent=2)

    (shown,) = contents(sent(chat([f"\x1b[32m{rows}\x1b[0m"]), CONTENT_RULES))

    assert json.loads(shown) == {"columns of this table": ["id"], "rows": [[number] for number in range(30)]}


def test_reading_settings_loads_no_rule():
    """Every verb reads settings; rules bring patterns and readers of JSON along."""
    code = "import sys, modicum.settings; sys.exit('modicum.optimizers.all_rules' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
