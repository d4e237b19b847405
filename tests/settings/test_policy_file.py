import msgspec
import pytest

from modicum.calls import UserError
from modicum.governance.policy import PlannedCall, decide_policy
from modicum.settings import budgets_of, outcome_budgets_of, place_in_policy, policy_of, read_policy_at, read_settings

GOOD = """
data_classes = ["public", "personal"]
unnamed_class = "public"

[[owner_class]]
team = "hr"
data_class = "personal"

[[clause]]
name = "in the EU"
data_class = "personal"
regions = ["eu"]

[[budget]]
name = "month"
per = "month"
limit_usd = 100

[[outcome]]
name = "resolved"
limit_usd = 1.5
"""


@pytest.fixture
def write(tmp_path):
    """Writes both files; reads the settings."""

    def write(policy, settings="", name="policy.toml"):
        (tmp_path / "modicum.toml").write_text(settings)
        (tmp_path / name).write_text(policy)
        return read_settings({"MODICUM_CONFIG": str(tmp_path / "modicum.toml")})

    return write


def test_a_policy_lies_beside_the_settings_and_its_budgets_are_budgets(write, tmp_path):
    settings = write(GOOD, '[[budget]]\nname = "day"\nper = "day"\nlimit_calls = 5\n')

    policy = policy_of(settings.policy_rules)
    assert [one.outcome for one in outcome_budgets_of(settings.outcome, "")] == ["resolved"]
    assert [budget.name for budget in budgets_of(settings.budget, "")] == ["day", "month"]
    assert decide_policy(policy, PlannedCall("gpt-4o", "openai", "us")).clause is None
    assert decide_policy(policy, PlannedCall("gpt-4o", "openai", "us", data_class="personal")).is_refusal
    assert place_in_policy(settings.policy_rules, "clause", 0) == f"{tmp_path}/policy.toml:10"


def test_another_name_is_said_in_the_settings(write):
    assert write(GOOD, 'policy = "rules.toml"\n', "rules.toml").policy_rules.clause[0].name == "in the EU"


def test_without_a_settings_file_that_of_the_current_folder_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).policy_rules.clause == ()
    (tmp_path / "policy.toml").write_text(GOOD)

    assert read_settings({}).policy_rules.file == "policy.toml"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[clause]\n", r"policy\.toml: no valid TOML: .*line 1"),
        (
            '\n[[clause]]\nname = "a"\n',
            r":3: clause 'a': name stands alone: the clause limits nothing; set one of models",
        ),
        ('[[clause]]\nname = "a"\nmodels = "gpt-*"\n', r":3: Expected `array \| null`, got `str`.*accepted are name"),
        (
            '[[clause]]\nname = "a"\nmodels = []\n[[clause]]\nname = "b"\nmodel = "x"\nmodels = 1\n',
            r":7: Expected `array",
        ),
        ('[[clause]]\nname = "a"\nmodells = []\n', r":3: .*unknown field `modells`.*accepted are name"),
        ('[[clause]]\nname = "a"\nmost_effort = "very"\n', r":3: .*most_effort must be one of none, minimal"),
        ('[[clause]]\nname = "a"\nmost_prompt_tokens = -1\n', r":3: .*is a number of tokens from 0"),
        ('[[clause]]\nname = "a"\nmodels = [""]\n', r":3: .*models holds an empty text"),
        ('[[clause]]\nname = "a"\nmodels = []\n[[clause]]\nname = "a"\nmodels = []\n', r":5: .*'a' comes twice"),
        ('[[clause]]\nname = "a"\nmodels = []\ndata_class = "x"\n', r":4: .*needs data_classes"),
        ('data_classes = ["a", "a"]\n', r":1: data_classes takes at most 20 names"),
        ('data_classes = ["a"]\nunnamed_class = "b"\n', r":2: unnamed_class must be one of data_classes: a"),
        ('data_classes = ["a"]\n[[owner_class]]\ndata_class = "a"\n', r":2: owner_class: team or another of app"),
        ('data_classes = ["a"]\n[[owner_class]]\nteam = "x"\ndata_class = "b"\n', r":4: .*must be one of data_classes"),
        ('[[budget]]\nname = "a"\nper = "fortnight"\nlimit_usd = 1\n', r":3: budget 'a': per must be hour, day"),
        (
            '[[outcome]]\nname = "resolved"\nlimit_usd = -1\n',
            r":3: outcome 'resolved': limit_usd must be a number above 0",
        ),
        ("colour = 1\n", r":1: .*unknown field `colour`"),
    ],
)
def test_a_wrong_value_names_file_line_and_what_is_accepted(write, text, reason):
    with pytest.raises(UserError, match=rf"policy\.toml.*{reason}" if not reason.startswith("policy") else reason):
        write(text)


def test_a_budget_of_both_files_is_named_once(write):
    with pytest.raises(UserError, match=r"policy\.toml:14: budget 'month': name must differ .*comes twice"):
        write(GOOD.strip(), '[[budget]]\nname = "month"\nper = "day"\nlimit_calls = 5\n')


def test_a_wrong_budget_of_the_settings_still_names_their_file(write):
    with pytest.raises(UserError, match=r"modicum\.toml:3: budget 'a': per must be"):
        write(GOOD, '[[budget]]\nname = "a"\nper = "x"\nlimit_usd = 1\n')


def test_a_policy_that_is_named_must_be_there(tmp_path):
    (tmp_path / "modicum.toml").write_text('policy = "gone.toml"\n')
    with pytest.raises(UserError, match=r"gone\.toml: there is no such policy, and .*modicum\.toml names it"):
        read_settings({"MODICUM_CONFIG": str(tmp_path / "modicum.toml")})
    with pytest.raises(UserError, match=r"there is no such policy; docs/policy\.md"):
        read_policy_at(tmp_path / "gone.toml")


def test_a_policy_that_is_no_text_is_said(tmp_path):
    (tmp_path / "policy.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"policy\.toml: cannot be read"):
        read_policy_at(tmp_path / "policy.toml")
    with pytest.raises(UserError, match=r"cannot be read"):
        read_policy_at(tmp_path)


def test_what_a_policy_says_cannot_be_set_in_the_settings(tmp_path):
    (tmp_path / "modicum.toml").write_text("[policy_rules]\n")
    with pytest.raises(UserError, match=r"policy_rules is no setting"):
        read_settings({"MODICUM_CONFIG": str(tmp_path / "modicum.toml")})


def test_a_budget_of_a_file_alone_is_checked_too(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('[[budget]]\nname = "a"\nper = "day"\n')
    with pytest.raises(UserError, match=r"policy\.toml:1: budget 'a': limit_usd or another limit must be set"):
        read_policy_at(path)
    path.write_text(GOOD)
    assert msgspec.structs.asdict(read_policy_at(path))["data_classes"] == ("public", "personal")
