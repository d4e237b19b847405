import pytest

from state.server import running_server


@pytest.fixture(scope="session")
def server():
    with running_server() as server:
        yield server
