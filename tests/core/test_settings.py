"""Settings: who wins, and what a wrong one says."""

import base64
from pathlib import Path

import pytest

from core.settings import Settings, SettingsError, load
from ksqldb.kafka import VARIABLE, Kafka, TokenError, expiry, token


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STREAMGUARD_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_any_every_service_is_embedded() -> None:
    settings = load()
    assert (settings.kafka, settings.ksqldb_url, settings.postgres_dsn) == (None, None, None)
    assert settings.home.is_absolute()
    assert settings.home.name == "stream-guard"


def test_flags_win_over_variables_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "streamguard.toml").write_text('kafka = "file:1"\nksqldb = "http://file:1"\nkafka_port = 1\n')
    monkeypatch.setenv("STREAMGUARD_KAFKA", "variable:2")
    monkeypatch.setenv("STREAMGUARD_KSQLDB", "http://variable:2/")
    settings = load(kafka="flag:3", ksqldb=None)
    assert (settings.kafka, settings.ksqldb_url, settings.kafka_port) == ("flag:3", "http://variable:2", 1)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGUARD_KAFKA", "")
    assert load().kafka is None


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGUARD_POSTGRES", "postgresql://me:hidden@db/x")
    settings = load()
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings.model_dump())
    assert settings.postgres_dsn == "postgresql://me:hidden@db/x"


def test_a_ksqldb_password_is_not_shown_either() -> None:
    settings = load(ksqldb="https://me:hidden@q:8088/")
    assert "hidden" not in repr(settings) + str(settings.model_dump())
    assert settings.ksqldb_url == "https://me:hidden@q:8088"


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


# ----------------------------------------------------------------------------------------------------- a secured Kafka

SCRAM = {
    "kafka": "k:9093",
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "SCRAM-SHA-256",
    "kafka_username": "guard",
    "kafka_password": "hidden",
}


def test_the_cluster_is_reached_as_the_settings_say() -> None:
    settings = load(**SCRAM)
    kafka = settings.cluster("k:9093")
    assert (kafka.security_protocol, kafka.sasl_mechanism, kafka.username, kafka.password) == (
        *("SASL_SSL", "SCRAM-SHA-256"),
        *("guard", "hidden"),
    )
    assert "hidden" not in repr(settings) + repr(kafka)
    assert kafka.librdkafka()["sasl.password"] == "hidden"


def test_an_embedded_broker_is_spoken_to_in_plain_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load(home=tmp_path).cluster("127.0.0.1:9092").options() == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kafka": None}, "wants kafka, the address"),
        ({"kafka_password": None}, "wants kafka_username and kafka_password"),
        ({"kafka_security_protocol": "SSL"}, "want kafka_security_protocol SASL_SSL or"),
        ({"kafka_sasl_mechanism": "OAUTHBEARER"}, "wants kafka_token_command"),
        ({"kafka_sasl_mechanism": "SCRAM"}, "--kafka-sasl-mechanism: Input should be 'PLAIN', 'SCRAM-SHA-256'"),
        ({"kafka_ca_file": "/nowhere/ca.pem"}, "--kafka-ca-file: Path does not point to a file"),
        ({"kafka_cert_file": __file__}, "want each other"),
        (
            {
                "kafka_security_protocol": "PLAINTEXT",
                "kafka_username": None,
                "kafka_password": None,
                "kafka_ca_file": __file__,
            },
            "want kafka_security_protocol SSL or SASL_SSL",
        ),
    ],
)
def test_half_a_security_is_refused_and_names_no_secret(change: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        load(**{**SCRAM, **change})
    assert "hidden" not in str(caught.value)


def test_a_child_process_finds_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(**SCRAM, kafka_ca_file=__file__, ksqldb="http://me:word@q:1", read_only=True)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load() == settings


def test_the_engine_of_a_secured_cluster_is_told_by_its_environment() -> None:
    kafka = load(**SCRAM).cluster("k:9093")
    assert Kafka.from_environment("k:9093", {VARIABLE: kafka.as_variable()}) == kafka
    assert Kafka.from_environment("k:9092", {}) == Kafka("k:9092")


def test_a_token_is_what_the_command_prints_and_lives_as_long_as_it_says() -> None:
    claims = base64.urlsafe_b64encode(b'{"exp": 4102444800}').decode().rstrip("=")
    made = token(f"printf %s head.{claims}.")
    assert made == f"head.{claims}."
    assert expiry(made) == 4102444800
    assert expiry("opaque") > 0
    with pytest.raises(TokenError, match="sh ended with 3 and printed no token"):
        token("sh -c 'echo hidden; exit 3'")
    with pytest.raises(TokenError, match="no-such-program: No such file"):
        token("no-such-program")


# ------------------------------------------------------------------------------------------------------------ profiles


def test_a_profile_wins_over_the_rest_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "streamguard.toml").write_text(
        'kafka = "file:1"\nkafka_port = 1\n[profiles.production]\nkafka = "far:2"\nread_only = true\n'
    )
    assert (load().kafka, load().read_only) == ("file:1", False)
    chosen = load(profile="production")
    assert (chosen.kafka, chosen.kafka_port, chosen.read_only) == ("far:2", 1, True)
    monkeypatch.setenv("STREAMGUARD_PROFILE", "production")
    assert load().kafka == "far:2"
    assert load(kafka="flag:3").kafka == "flag:3"
    with pytest.raises(SettingsError, match="there is no profile 'prod'; there are: production"):
        load(profile="prod")


def test_profiles_are_a_table_of_tables(tmp_path: Path) -> None:
    (tmp_path / "streamguard.toml").write_text('profiles = "production"\n')
    with pytest.raises(SettingsError, match="profiles is a table of tables"):
        load()


def test_a_profile_is_chosen_by_a_name(tmp_path: Path) -> None:
    (tmp_path / "streamguard.toml").write_text("[profile.production]\nread_only = true\n")
    with pytest.raises(SettingsError, match="there is no profile"):
        load()
