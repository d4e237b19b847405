from modicum.optimizers.meaning.model_files import missing_file
from optimizers.meaning.small_model import write_model


def test_it_is_said_which_file_is_not_there(tmp_path):
    assert missing_file(tmp_path) == "model.safetensors"
    assert missing_file(write_model(tmp_path)) == ""
    (tmp_path / "vocab.txt").unlink()
    assert missing_file(tmp_path) == "vocab.txt"
