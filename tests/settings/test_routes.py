import pytest

from modicum.calls import UserError
from modicum.settings import read_settings


def test_a_route_is_read_and_faults_have_file_and_line(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text('[routes.mine]\nweights = "router.npz"\nmodels = "gpt-*"\n')
    assert read_settings({"MODICUM_CONFIG": str(path)}).routes["mine"].models == "gpt-*"

    for text, said in {
        '[routes.mine]\nweights = " "\nmodels = "x"\n': r"modicum.toml:2: routes.mine.weights must be a file",
        '[routes.mine]\nweights = "r"\nmodels = ""\n': r"modicum.toml:3: routes.mine.models must be a model",
        '[routes.mine]\nweights = "r"\nmodels = "x"\nmore = 1\n': "accepted are weights",
    }.items():
        path.write_text(text)
        with pytest.raises(UserError, match=said):
            read_settings({"MODICUM_CONFIG": str(path)})
