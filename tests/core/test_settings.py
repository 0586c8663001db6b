from pathlib import Path

import pytest

from trigpoint.settings import SettingsError, load


def test_flags_win_over_environment_over_file_over_default(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('port = 1\nproxy_port = 2\nlocation = "us-east1"\n')
    environ = {"TRIGPOINT_HOME": str(tmp_path), "TRIGPOINT_PORT": "3", "TRIGPOINT_PROXY_PORT": "4"}
    settings = load({"port": 5, "host": None}, environ)
    assert (settings.port, settings.proxy_port, settings.location, settings.host) == (5, 4, "us-east1", "127.0.0.1")
    assert settings.database_url == f"sqlite:///{tmp_path}/trigpoint.db"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "unknown setting 'colour'"),
        ("port = 'x'", "setting port must be a whole number"),
        ("strict = 'perhaps'", "setting strict must be true or false"),
        ("port = ", "not valid TOML"),
        ("port = 99999", "setting port must be a port"),
        ("locations = 5", "setting locations must be a list"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(SettingsError, match=message):
        load({"home": tmp_path}, {})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load({"home": tmp_path}, {})


def test_lists_and_switches_come_from_the_environment(tmp_path: Path) -> None:
    environ = {"TRIGPOINT_LOCATIONS": "us-central1, europe-west4", "TRIGPOINT_HELD_READS": "off"}
    settings = load({"home": tmp_path}, environ)
    assert settings.locations == ("us-central1", "europe-west4")
    assert settings.held_reads is False
