import openai
import pytest

from gateway.rig import running


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with running(tmp_path_factory.mktemp("gateway")) as rig:
        yield rig


@pytest.fixture
def fresh_rig(tmp_path):
    with running(tmp_path) as rig:
        yield rig


@pytest.fixture
def client(rig):
    with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
        yield client
