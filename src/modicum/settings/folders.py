"""Where things lie on this machine: data, cache, configuration, and what settings name beside their own file."""

from pathlib import Path

import platformdirs

from modicum.settings.table import Settings

POLICY_NAME = "policy.toml"


def data_folder() -> Path:
    return Path(platformdirs.user_data_dir("modicum", appauthor=False))


def cache_folder() -> Path:
    return Path(platformdirs.user_cache_dir("modicum", appauthor=False))


def config_folder() -> Path:
    return Path(platformdirs.user_config_dir("modicum", appauthor=False))


def state_folder() -> Path:
    """Where the gateway keeps its journal, the keys' digests and what else must outlive a process."""
    return data_folder() / "gateway"


def ledger_place(settings: Settings) -> str:
    """The ledger's URL or path, with the default filled in. A relative path counts from the settings file."""
    if not settings.ledger:
        return str(data_folder() / "ledger.duckdb")
    if "://" in settings.ledger or not settings.file:
        return settings.ledger
    return str(Path(settings.file).parent / Path(settings.ledger).expanduser())


def price_file_place(settings: Settings) -> Path | None:
    """The user's price file: the one that is set, or the first usual one that exists."""
    beside = Path(settings.file).parent if settings.file else Path()
    if settings.prices:
        return beside / Path(settings.prices).expanduser()
    usual = [beside / "prices.toml"] if settings.file else []
    usual.append(config_folder() / "prices.toml")
    return next((path for path in usual if path.is_file()), None)


def beside_settings(settings: Settings, path: str) -> Path:
    """A path of the settings; a relative one counts from their file."""
    return (Path(settings.file).parent if settings.file else Path()) / Path(path).expanduser()


def policy_place(settings: Settings) -> Path:
    """Where the policy is, or would be: the file that is set, or the usual one beside the settings; without a file of
    settings that of the current folder, or of the configuration folder where only there is one.
    """
    if settings.policy:
        return beside_settings(settings, settings.policy)
    beside = beside_settings(settings, POLICY_NAME)
    if settings.file or beside.is_file() or not (usual := config_folder() / POLICY_NAME).is_file():
        return beside
    return usual
