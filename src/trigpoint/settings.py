"""One frozen value of configuration: flags over environment over file over default; read once and passed on."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from platformdirs import user_data_path


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it, where it came from, and what to do."""


def _setting(default: Any, sentence: str) -> Any:
    return field(default=default, metadata={"doc": sentence})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured. Each field: environment TRIGPOINT_<NAME>, `config.toml` key <name>."""

    home: Path = _setting(None, "The one state directory; everything the server keeps is under it.")
    host: str = _setting("127.0.0.1", "The address that the TLS port binds; anything but loopback is your decision.")
    port: int = _setting(0, "The TLS port for REST and gRPC; 0 takes the last one used, or a free one.")
    proxy_port: int = _setting(0, "The loopback port of the CONNECT proxy; 0 takes the last one used, or a free one.")
    project: str = _setting("demo-project", "The id of the project made at first start and used by default.")
    location: str = _setting("us-central1", "The default location.")
    locations: tuple[str, ...] = _setting(
        ("us-central1", "us-east1", "us-west1", "europe-west1", "europe-west4", "asia-east1", "asia-northeast1"),
        "The locations that this installation answers for.",
    )
    database: str = _setting("", "A database URL such as postgresql+psycopg://...; empty is SQLite under the home.")
    runtime: str = _setting("auto", "How programs run: auto, sandbox or process; auto takes the best that works here.")
    held_reads: bool = _setting(True, "Hold the reads of Google's SDK until a job ends, instead of its 5 s polling.")
    strict: bool = _setting(False, "Refuse what the host cannot really give (CPUs, memory) instead of over-committing.")
    vcpu_quota: int = _setting(2200, "vCPUs that the jobs of one project and location may use together.")
    parallel_jobs: int = _setting(
        0, "Jobs that may run at once; 0 derives it from the machine's CPUs and memory (virtual capacity)."
    )
    outbound: bool = _setting(True, "Whether training code may reach the internet, as on Vertex.")
    tunnel_allow: tuple[str, ...] = _setting((), "Private hosts that the proxy may tunnel to, besides public ones.")
    keep_logs_days: int = _setting(30, "Days that logs of finished attempts are kept by `trig gc`.")
    keep_history_days: int = _setting(30, "Days that replaced versions of resources are kept by `trig gc`.")
    keep_attempts_days: int = _setting(7, "Days that directories of finished attempts are kept by `trig gc`.")
    keep_environments_days: int = _setting(60, "Days that an unused environment is kept by `trig gc`.")

    def path(self, *parts: str) -> Path:
        """Return a path under the home."""
        return self.home.joinpath(*parts)

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the main database."""
        return self.database or f"sqlite:///{self.path('trigpoint.db')}"

    @property
    def telemetry_url(self) -> str:
        """The SQLAlchemy URL of the telemetry database."""
        return self.database or f"sqlite:///{self.path('telemetry.db')}"


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; SettingsError for an unknown key or a value of the wrong kind."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    home = Path(given.pop("home", None) or environ.get("TRIGPOINT_HOME") or user_data_path("trigpoint")).expanduser()
    values: dict[str, Any] = dict(_from_file(home / "config.toml"))
    known = {f.name: f for f in fields(Settings)}
    for name in known:
        text = environ.get(f"TRIGPOINT_{name.upper()}")
        if text is not None and name != "home":
            values[name] = text
    values.update(given)
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]!r}; known are: {', '.join(sorted(known))}")
    typed = {name: _typed(name, value, known[name].default) for name, value in values.items()}
    return Settings(home=home.absolute(), **typed)


def _from_file(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except NotADirectoryError as error:
        home = path.parent
        raise SettingsError(
            f"the home {home} is no folder; name one with --home or TRIGPOINT_HOME, whether or not it is there yet"
        ) from error
    except OSError as error:
        raise SettingsError(f"config.toml in the home directory can't be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"config.toml in the home directory is not valid TOML: {error}") from error


def _typed(name: str, value: Any, default: Any) -> Any:
    """Return a value as the kind that its default has."""
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if str(value).lower() not in words:
            raise SettingsError(f"setting {name} must be true or false, not {value!r}")
        return words[str(value).lower()]
    if isinstance(default, int):
        try:
            number = int(value)
        except (TypeError, ValueError) as error:
            raise SettingsError(f"setting {name} must be a whole number, not {value!r}") from error
        if name.endswith("port") and not 0 <= number < 65536:
            raise SettingsError(f"setting {name} must be a port from 0 to 65535, not {number}")
        return number
    if isinstance(default, tuple):
        if not isinstance(value, str | list):
            raise SettingsError(f"setting {name} must be a list, not {value!r}")
        return tuple(v.strip() for v in value.split(",") if v.strip()) if isinstance(value, str) else tuple(value)
    return str(value)
