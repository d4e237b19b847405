import pytest

from modicum.calls import UserError
from modicum.ledger_process.otel_endpoint import Endpoint, endpoint_of
from modicum.settings import OtelSettings


def of(endpoint="http://127.0.0.1:4318", environment=None, **more):
    return endpoint_of(OtelSettings(endpoint=endpoint, **more), environment or {})


def test_nothing_is_sent_unless_an_endpoint_is_set():
    assert endpoint_of(OtelSettings()) is None


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces"),
        (
            "https://cloud.langfuse.com/api/public/otel",
            "https://cloud.langfuse.com/api/public/otel/v1/traces",
        ),
        ("https://h/otlp?team=a", "https://h/otlp/v1/traces?team=a"),
    ],
)
def test_the_path_of_traces_is_put_behind_an_address_that_lacks_it(said, url):
    assert of(said).url == url


def test_a_key_comes_from_the_environment_or_a_file(tmp_path):
    (tmp_path / "key").write_text("Basic YTpi\n")

    found = of(
        headers={"Authorization": f"file:{tmp_path / 'key'}", "x-api-key": "env:KEY", "x-scope-orgid": "shop"},
        environment={"KEY": "k"},
    )

    assert found.headers == {"authorization": "Basic YTpi", "x-api-key": "k", "x-scope-orgid": "shop"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"endpoint": "127.0.0.1:4318"}, "no web address"),
        ({"endpoint": "ftp://host"}, "no web address"),
        ({"endpoint": "http://host:99999"}, "no web address"),
        ({"protocol": "grpc"}, "'grpc' is not spoken; modicum sends http/protobuf"),
        ({"headers": {"authorization": "Bearer secret"}}, "env:NAME or file:PATH, not the value itself"),
        ({"headers": {"authorization": "env:NOT_SET"}}, "NOT_SET is not set"),
        ({"headers": {"x-api-key": "file:/nowhere/key"}}, "cannot be read"),
        ({"headers": {"x tenant": "a"}}, "no name of a header"),
        ({"headers": {"x-tenant": "a\nb: c"}}, "what no header may hold"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(wrong, said):
    with pytest.raises(UserError) as error:
        of(**wrong)

    assert said in str(error.value)
    assert "Bearer secret" not in str(error.value)


def test_what_is_shown_holds_no_secret():
    assert Endpoint("https://user:secret@host:1/v1/traces?key=secret", {}).shown == "https://host:1/v1/traces"
