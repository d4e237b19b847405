import pytest

from modicum.calls import UserError
from modicum.settings import GatewaySettings, host_name, read_settings
from modicum.settings.gateway import gateway_fault


def test_names_and_origins_of_every_kind_are_taken(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text(
        '[gateway]\nhosts = ["llm.example.com", "LLM.", "my_gateway", "10.0.0.1", "[fd00::1]", "xn--bcher-kva.de"]\n'
        'cors_origins = ["https://app.example.com", "http://localhost:5173", "http://[::1]:8000", "tauri://localhost"]\n'
    )
    gateway = read_settings({"MODICUM_CONFIG": str(path)}).gateway

    assert [host_name(host) for host in gateway.hosts][1:5] == ["llm", "my_gateway", "10.0.0.1", "fd00::1"]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (GatewaySettings(hosts=("https://a.example",)), "hosts"),
        (GatewaySettings(tls_key_file="key.pem"), "tls_key_file"),
        (GatewaySettings(cors_origins=("*",)), "cors_origins"),
        (GatewaySettings(upgrade_drain_s=-1.0), "upgrade_drain_s"),
        (GatewaySettings(upgrade_drain_s=float("inf")), "upgrade_drain_s"),
    ],
)
def test_the_setting_that_is_wrong_is_named(settings, key):
    assert gateway_fault(settings)[0] == key
    assert gateway_fault(GatewaySettings()) is None


def test_a_promise_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text('[gateway]\ndurable = "memory"\n')
    with pytest.raises(UserError, match="durable") as refused:
        read_settings({"MODICUM_CONFIG": str(path)})
    assert 'durable ("disk" or "process")' in str(refused.value)
