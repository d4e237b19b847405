"""One typed table of settings. Read once, at the top; below, values are arguments.

`modicum.toml` is looked for in `$MODICUM_CONFIG`, the current folder, and the user's configuration folder; the first
that exists counts. Every setting has a default.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from modicum.calls import UserError

FILE_NAME = "modicum.toml"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ledger: str = ""
    """Where the ledger is: a path, or clickhouse://user:password@host:port/database. Empty: a file in the user's data
    folder."""
    prices: str = ""
    """A file with your own prices (see docs/prices.md). Empty: `prices.toml` beside the settings or in the
    configuration folder, if there is one."""
    timezone: str = "UTC"
    """The zone in which days and weeks are cut, as `Europe/Berlin`."""
    keep_days: int = 0
    """Entries older than this are forgotten at the next import. 0: they are kept."""
    file: str = ""
    """The file that the settings came from. Not set by hand."""


def data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("modicum", appauthor=False))


def cache_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("modicum", appauthor=False))


def config_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("modicum", appauthor=False))


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that apply here.

    Raises:
        UserError: the file cannot be read or holds a wrong value; the message names file, line and what is accepted.
    """
    path = _file(environment)
    if path is None:
        return Settings()
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
        settings = msgspec.convert(document | {"file": str(path)}, Settings)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: no valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise UserError(f"{path}{_line(text, str(error))}: {error}; accepted are {_accepted()}") from None
    _check(settings, path, text)
    return settings


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


def checked_zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        UserError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(f"there is no time zone '{name}'; give one as Europe/Berlin or UTC") from None


def _file(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("MODICUM_CONFIG"):
        return Path(named)
    return next((path for path in (Path(FILE_NAME), config_folder() / FILE_NAME) if path.is_file()), None)


def _check(settings: Settings, path: Path, text: str) -> None:
    try:
        checked_zone(settings.timezone)
    except UserError as error:
        raise UserError(f"{path}{_line(text, 'timezone')}: {error}") from None
    if settings.keep_days < 0:
        raise UserError(f"{path}{_line(text, 'keep_days')}: keep_days is a number of days, or 0 to keep all")


def _line(text: str, message: str) -> str:
    """`:3`, where the message names a key that stands on line 3."""
    for number, line in enumerate(text.splitlines(), 1):
        key = line.partition("=")[0].strip()
        if key and not key.startswith("#") and (f"`{key}`" in message or f".{key}`" in message or key == message):
            return f":{number}"
    return ""


def _accepted() -> str:
    fields = msgspec.structs.fields(Settings)
    return ", ".join(f"{field.name} ({field.type.__name__})" for field in fields if field.name != "file")
