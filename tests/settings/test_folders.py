from pathlib import Path

from modicum.settings import Settings, beside_settings, data_folder, ledger_place, price_file_place, read_settings
from modicum.settings.folders import cache_folder, config_folder, state_folder


def test_folders_are_those_of_the_desktop_standard(home):
    assert data_folder() == home / "xdg_data_home" / "modicum"
    assert cache_folder() == home / "xdg_cache_home" / "modicum"
    assert config_folder() == home / "xdg_config_home" / "modicum"
    assert state_folder() == data_folder() / "gateway"


def test_a_path_counts_from_the_settings_file(tmp_path):
    assert beside_settings(Settings(file=str(tmp_path / "modicum.toml")), "plan.json") == tmp_path / "plan.json"
    assert beside_settings(Settings(), "plan.json") == Path("plan.json")


def test_paths_in_a_file_count_from_the_file(tmp_path):
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "modicum.toml").write_text('ledger = "books/l.duckdb"\n')
    (folder / "prices.toml").write_text("")
    settings = read_settings({"MODICUM_CONFIG": str(folder / "modicum.toml")})

    assert ledger_place(settings) == str(folder / "books" / "l.duckdb")
    assert price_file_place(settings) == folder / "prices.toml"


def test_a_cluster_is_left_as_it_is_written(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text('ledger = "clickhouse://db:8123/modicum"\n')

    assert ledger_place(read_settings({"MODICUM_CONFIG": str(path)})) == "clickhouse://db:8123/modicum"
