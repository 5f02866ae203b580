"""Settings: who wins, and what a wrong one says."""

from pathlib import Path

import pytest

from core.settings import SettingsError, load


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "KAFKA", "KSQLDB", "POSTGRES", "KAFKA_PORT", "KSQLDB_PORT"):
        monkeypatch.delenv(f"STREAMGUARD_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_any_every_service_is_embedded() -> None:
    settings = load()
    assert (settings.kafka, settings.ksqldb, settings.postgres_dsn) == (None, None, None)
    assert settings.home.is_absolute()
    assert settings.home.name == "stream-guard"


def test_flags_win_over_variables_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "streamguard.toml").write_text('kafka = "file:1"\nksqldb = "http://file:1"\nkafka_port = 1\n')
    monkeypatch.setenv("STREAMGUARD_KAFKA", "variable:2")
    monkeypatch.setenv("STREAMGUARD_KSQLDB", "http://variable:2/")
    settings = load(kafka="flag:3", ksqldb=None)
    assert (settings.kafka, settings.ksqldb, settings.kafka_port) == ("flag:3", "http://variable:2", 1)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGUARD_KAFKA", "")
    assert load().kafka is None


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGUARD_POSTGRES", "postgresql://me:hidden@db/x")
    settings = load()
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings.model_dump())
    assert settings.postgres_dsn == "postgresql://me:hidden@db/x"


def test_a_wrong_password_url_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGUARD_POSTGRES", "mysql://me:hidden@db/x")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"kafka": "host"}, r"--kafka: 'host' is not HOST:PORT"),
        ({"kafka": "host:1,host:99999"}, r"--kafka: 'host:99999' is not HOST:PORT"),
        ({"ksqldb": "localhost:8088"}, r"--ksqldb: it is a URL"),
        ({"kafka_port": 0}, r"--kafka-port: .*greater than or equal to 1"),
    ],
)
def test_a_wrong_flag_is_named(flags: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(**flags)


def test_a_wrong_variable_names_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGUARD_KSQLDB_PORT", "many")
    with pytest.raises(SettingsError, match=r"ksqldb_port \(STREAMGUARD_KSQLDB_PORT or streamguard.toml\): .*integer"):
        load()


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "streamguard.toml").write_text('kafak = "host:1"\n')
    with pytest.raises(SettingsError, match="there is no setting 'kafak'; there are home, kafka"):
        load()


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "streamguard.toml").write_text("kafka = host:1\n")
    with pytest.raises(SettingsError, match=r"streamguard\.toml: .*line 1"):
        load()


def test_a_home_may_be_relative_or_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(home="~/data").home == tmp_path / "data"
    assert load(home="here").home == tmp_path / "here"
