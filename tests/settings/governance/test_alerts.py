import pytest

from modicum.calls import UserError
from modicum.settings import AlertSettings, alert_rules_of, read_settings, webhook_of
from modicum.settings.governance.alerts import alerts_fault


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('webhook = "hooks.example.com"', "alerts.webhook must be an address"),
        ('webhook = "file:"', "alerts.webhook must be an address"),
        ('webhook = "ftp://example.com/x"', "alerts.webhook must be an address"),
        ('webhook = "http://[::1"', "alerts.webhook must be an address"),
        ("budget_steps = [0.5, -1]", "alerts.budget_steps is up to 10 shares"),
        ("budget_steps = [nan]", "alerts.budget_steps is up to 10 shares"),
        ("budget_steps = [80]", "alerts.budget_steps is up to 10 shares"),
        ("refusals = -1", "alerts.refusals is a number"),
        ("behind_s = 0", "alerts.behind_s is a number of seconds"),
        ("behind_s = inf", "alerts.behind_s is a number of seconds"),
        ("again_after_s = -3", "alerts.again_after_s is a number of seconds"),
        ('by = "user"', "alerts.by is wrong: "),
        ('by = "team,team"', "each dimension once"),
        ("loop_repeats = -1", "alerts.loop_repeats is a number of answers"),
        ("yield_fall = 1.5", "alerts.yield_fall is a share"),
        ("yield_fall = nan", "alerts.yield_fall is a share"),
        ('body = "xml"', "body ("),
        ("step = 5", "accepted are webhook (str)"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(tmp_path, line, message):
    file = tmp_path / "modicum.toml"
    file.write_text(f"[alerts]\n{line}\n")

    with pytest.raises(UserError) as refused:
        read_settings({"MODICUM_CONFIG": str(file)})

    assert message in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_webhook_may_be_a_secret(tmp_path):
    (tmp_path / "hook").write_text("https://hooks.example.com/T0/abc\n")
    alerts = AlertSettings(webhook=f"file:{tmp_path / 'hook'}", headers={"Authorization": "env:KEY", "x-from": "me"})
    webhook = webhook_of(alerts, {"KEY": "Bearer 1"})

    assert webhook.url == "https://hooks.example.com/T0/abc"
    assert webhook.shown == "https://hooks.example.com"
    assert dict(webhook.headers) == {"authorization": "Bearer 1", "x-from": "me"}
    assert webhook_of(AlertSettings()) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"webhook": "env:HOOK"}, "what env:HOOK holds is no web address"),
        ({"webhook": "env:NOT_SET"}, "NOT_SET is not set"),
        ({"webhook": "http://a.example", "headers": {"authorization": "Bearer s3cret"}}, "must say where its value is"),
        ({"webhook": "http://a.example", "headers": {"x y": "1"}}, "is no name of a header"),
        ({"webhook": "http://a.example", "headers": {"x": "a\r\nb: c"}}, "holds what no header may hold"),
    ],
)
def test_one_that_cannot_be_used_is_named_and_no_secret_is_shown(fields, message):
    with pytest.raises(UserError, match=message) as refused:
        webhook_of(AlertSettings(**fields), {"HOOK": "s3cret"})

    assert "s3cret" not in str(refused.value)


def test_the_usual_rules():
    rules = alert_rules_of(AlertSettings(budget_steps=(0.9,)))

    assert (rules.budget_steps, rules.refusals, rules.again_after.total_seconds()) == ((0.9,), 20, 3600)
    assert alerts_fault(AlertSettings(budget_steps=())) is None


def test_links_lead_to_an_address_and_the_floor_is_an_amount():
    settings = AlertSettings(webhook="http://a.example", console="https://modicum.example/")

    assert webhook_of(settings).console == "https://modicum.example"
    assert alerts_fault(AlertSettings(console="modicum"))[0] == "console"
    assert alerts_fault(AlertSettings(anomaly_floor_usd=-1.0))[0] == "anomaly_floor_usd"
    assert alerts_fault(AlertSettings(anomaly_floor_usd=float("nan")))[0] == "anomaly_floor_usd"
