"""What can be held of the Compose file, the image and its scripts without Docker: that they agree with the program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from core import settings
from core.cli import app
from core.stack.broker.configs import DEFINITIONS
from core.stack.services import HOST, KAFKA_PORT, KSQLDB_PORT
from core.workers import http, process
from core.workers.sender import TOPICS
from ksqldb.rulebook import load
from ksqldb.rulebook._deploy import PROPERTIES
from tests.real import apache_kafka

ROOT = Path(__file__).resolve().parent.parent
SERVICES: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
VOLUMES: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["volumes"]
JOBS = {"topics", "rules"}  # they end when their work is done
AT_A_TERMINAL = {"ksqldb-cli", "control-center"}
LASTING = SERVICES.keys() - JOBS - AT_A_TERMINAL
OURS = {"rules", "workers", "control-center"}
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")  # Compose refuses to start without a value, and with an empty one


def environment(service: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[service].get("environment", {})
    return found


def property_name(variable: str, prefix: str) -> str:
    """The property that an image of Confluent's makes of a variable."""
    return variable.removeprefix(prefix).lower().replace("_", ".")


def texts(value: Any) -> Iterator[str]:
    """Every key and value below this one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif value is not None:
        yield str(value)


# ------------------------------------------------------------------------------------------- schemas and the linter


def said_by(tool: str, *arguments: str, text: str | None = None) -> tuple[int, str]:
    """Exit code and words of a tool that is installed beside this Python."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(tool)), *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "file"),
    [("compose-spec", "docker-compose.yaml"), ("github-workflows", ".github/workflows/ci.yml")],
)
def test_it_is_of_its_schema(schema: str, file: str, tmp_path: Path) -> None:
    code, said = said_by("check-jsonschema", "--builtin-schema", f"vendor.{schema}", file)
    assert code == 0, said
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((ROOT / file).read_text() + "\nservices: [kafka]\njobs: 1\n")
    code, said = said_by("check-jsonschema", "--builtin-schema", f"vendor.{schema}", str(wrong))
    assert code == 1, said


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    assert said_by("hadolint", "--no-color", "Dockerfile") == (0, "")
    code, said = said_by("hadolint", "--no-color", "-", text=f"{(ROOT / 'Dockerfile').read_text()}RUN cd /tmp && ls\n")
    assert code == 1
    assert "DL3003" in said


# ------------------------------------------------------------------------------------------ the program's settings


@pytest.mark.parametrize("service", sorted(OURS))
def test_the_program_takes_every_address_it_is_given(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    given = environment(service)
    for name, value in given.items():
        monkeypatch.setenv(name, REQUIRED.sub("a-word", value))
    unknown = {name for name in given if name.startswith(settings.PREFIX)} - {
        settings.PREFIX + field.upper() for field in settings.Settings.model_fields
    }
    assert not unknown
    loaded = settings.load()
    assert loaded.kafka == "kafka:19092"
    assert loaded.ksqldb_url == "http://ksqldb:8088"
    assert loaded.postgres_dsn == "postgresql://streamguard:a-word@postgres:5432/streamguard"
    assert str(loaded.home) == "/data"
    assert any(volume.endswith(f":{loaded.home}") for volume in SERVICES[service]["volumes"])


def test_the_addresses_are_those_the_services_answer_at() -> None:
    kafka, ksqldb, postgres = environment("kafka"), environment("ksqldb"), environment("postgres")
    assert kafka["KAFKA_ADVERTISED_LISTENERS"] == f"INSIDE://kafka:19092,HOST://localhost:{KAFKA_PORT}"
    listened = {part.partition("://")[0]: part.rpartition(":")[2] for part in kafka["KAFKA_LISTENERS"].split(",")}
    assert listened == {"CONTROLLER": "29093", "INSIDE": "19092", "HOST": str(KAFKA_PORT)}
    assert kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"{kafka['KAFKA_NODE_ID']}@kafka:{listened['CONTROLLER']}"
    assert ksqldb["KSQL_BOOTSTRAP_SERVERS"] == "kafka:19092"
    assert ksqldb["KSQL_LISTENERS"] == f"http://0.0.0.0:{KSQLDB_PORT}"
    assert environment("kafka-ui")["KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS"] == "kafka:19092"
    assert environment("kafka-ui")["KAFKA_CLUSTERS_0_KSQLDBSERVER"] == environment("workers")["STREAMGUARD_KSQLDB"]
    assert SERVICES["ksqldb-cli"]["entrypoint"][-1] == environment("workers")["STREAMGUARD_KSQLDB"]
    dsn = environment("workers")["STREAMGUARD_POSTGRES"]
    assert REQUIRED.sub("", dsn) == (
        f"postgresql://{postgres['POSTGRES_USER']}:@postgres:5432/{postgres['POSTGRES_DB']}"
    )
    assert REQUIRED.findall(dsn) == REQUIRED.findall(postgres["POSTGRES_PASSWORD"]) == ["POSTGRES_PASSWORD"]


@pytest.mark.parametrize("service", sorted(OURS))
def test_every_command_is_one_the_program_has(service: str) -> None:
    command = SERVICES[service].get("command", [])
    _, bound, _ = app.parse_args(command, exit_on_error=False, print_error=False)
    if service == "workers":
        address = bound.arguments["http"]
        assert http.parse(address) == address


# ------------------------------------------------------------------------------------------------ topics and rules


def test_the_topics_are_those_of_the_schema_and_kept_as_the_embedded_broker_keeps_them() -> None:
    script = SERVICES["topics"]["command"][0]
    named = re.search(r"for topic in (.+); do", script)
    assert named is not None
    assert set(named[1].split()) == set(TOPICS)
    assert {int(count) for count in re.findall(r"--partitions (\d+)", script)} == set(TOPICS.values())
    assert dict(re.findall(r"--config (\S+)=(\S+)", script)) == {"retention.ms": DEFINITIONS["retention.ms"].default}
    assert "--if-not-exists" in script
    kafka = environment("kafka")
    assert kafka["KAFKA_LOG_RETENTION_MS"] == DEFINITIONS["retention.ms"].default
    assert kafka["KAFKA_LOG_RETENTION_BYTES"] == DEFINITIONS["retention.bytes"].default
    assert {kafka["KAFKA_NUM_PARTITIONS"]} == {str(count) for count in TOPICS.values()}


def test_the_streams_of_the_rules_name_the_same_topics_with_as_many_partitions() -> None:
    made = "\n".join(load().sources)
    named = re.findall(r"KAFKA_TOPIC\s*=\s*'(\w+)',\s*PARTITIONS\s*=\s*(\d+)", made)
    assert named
    assert {topic: int(count) for topic, count in named}.items() <= TOPICS.items()


def test_the_broker_runs_with_the_settings_that_the_real_broker_of_the_tests_has() -> None:
    tested = dict(line.split("=", 1) for line in apache_kafka._PROPERTIES.splitlines())
    ours = {property_name(name, "KAFKA_"): value for name, value in environment("kafka").items()}
    addresses = {
        "controller.quorum.voters",
        "listeners",
        "advertised.listeners",
        "listener.security.protocol.map",
        "log.dirs",
    }
    shared = tested.keys() & ours.keys() - addresses
    assert len(shared) >= 7
    assert {name: ours[name] for name in shared} == {name: tested[name] for name in shared}


def test_ksqldb_sends_at_once_what_the_rules_ask_to_be_sent_at_once() -> None:
    ours = {property_name(name, "KSQL_"): value for name, value in environment("ksqldb").items()}
    asked = {name: str(value) for name, value in PROPERTIES.items() if name.startswith("ksql.streams.")}
    assert asked
    assert {name: ours.get(name) for name in asked} == asked
    assert ours["ksql.streams.producer.linger.ms"] == "0"
    # With these, every push query would begin with the oldest record, or REST would be off.
    assert not {"ksql.streams.auto.offset.reset", "ksql.queries.file"} & ours.keys()


# ------------------------------------------------------------------------------------------------- how they are run


def test_every_lasting_service_is_checked_and_others_say_that_they_are_not() -> None:
    for name in LASTING:
        check = SERVICES[name]["healthcheck"]
        assert check["test"][0] == "CMD", name
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys(), name
        assert SERVICES[name]["restart"] == "unless-stopped", name
    for name in JOBS | AT_A_TERMINAL:
        assert SERVICES[name]["healthcheck"] == {"disable": True}, name
        assert SERVICES[name]["restart"] == "no", name


@pytest.mark.parametrize("check", ["image", "compose"])
def test_the_health_check_of_workers_asks_a_page_that_exists(check: str) -> None:
    if check == "compose":
        text = " ".join(SERVICES["workers"]["healthcheck"]["test"])
        port = SERVICES["workers"]["command"][-1].rpartition(":")[2]
    else:
        dockerfile = (ROOT / "Dockerfile").read_text()
        text = dockerfile[dockerfile.index("HEALTHCHECK") :]
        port = re.findall(r"^EXPOSE (\d+)", dockerfile, re.MULTILINE)[0]
    asked = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", text)
    assert asked is not None
    assert asked[1] == port
    assert asked[2] in {getattr(route, "path", None) for route in http.application([]).routes}


def test_all_have_limits_and_no_way_to_more_rights() -> None:
    for name, service in SERVICES.items():
        assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys(), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["tmpfs"] == ["/tmp"]


def test_ports_are_bound_to_loopback_and_workers_publish_none() -> None:
    published = {port for service in SERVICES.values() for port in service.get("ports", [])}
    assert published
    assert all(port.startswith(f"{HOST}:") for port in published)
    assert {f"{HOST}:{KAFKA_PORT}:{KAFKA_PORT}", f"{HOST}:{KSQLDB_PORT}:{KSQLDB_PORT}"} <= published
    assert not {"ports", "container_name"} & SERVICES["workers"].keys()  # either would forbid --scale


def test_each_starts_after_what_it_needs() -> None:
    def needs(service: str) -> dict[str, str]:
        return {name: how["condition"] for name, how in SERVICES[service].get("depends_on", {}).items()}

    for name in SERVICES:
        for needed, condition in needs(name).items():
            assert condition == ("service_completed_successfully" if needed in JOBS else "service_healthy"), name
    assert needs("workers").keys() == {"rules", "postgres"}
    assert needs("rules").keys() == {"ksqldb"}
    assert needs("ksqldb").keys() == {"kafka", "topics"}
    assert "profiles" not in {key for name in LASTING | JOBS for key in SERVICES[name]}


def test_data_is_in_named_volumes_alone() -> None:
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert mounted == VOLUMES.keys()


def test_workers_are_given_longer_than_they_take_to_drain() -> None:
    assert float(SERVICES["workers"]["stop_grace_period"].removesuffix("s")) > process._DRAIN_S


def test_no_secret_has_a_value_and_the_sample_names_each() -> None:
    every = [text for service in SERVICES.values() for text in texts(service)]
    used = {name for text in every for name in re.findall(r"\$\{(\w+)", text)}
    required = {name for text in every for name in REQUIRED.findall(text)}
    assert used - required == {"TERM", "COLORTERM"}
    secrets = [
        value
        for service in SERVICES
        for name, value in environment(service).items()
        if re.search("PASSWORD|SECRET|TOKEN|CREDENTIAL", name)
    ]
    assert secrets
    assert all(REQUIRED.fullmatch(value) for value in secrets)
    lines = [line for line in (ROOT / ".env.sample").read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(lines) == sorted(f"{name}=" for name in required)
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()


# ---------------------------------------------------------------------------------------------------------- the image


def locked(name: str) -> dict[str, str]:
    """Package and version -> its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    return {
        line.split()[0]: " ".join(sorted(re.findall(r"--hash=sha256:\w+", line)))
        for line in text.splitlines()
        if re.match(r"[a-z0-9]", line)
    }


def test_the_image_installs_a_part_of_the_lock_that_has_all_that_is_needed() -> None:
    image, development = locked("requirements-runtime.lock"), locked("requirements.lock")
    assert all(image.values())
    assert image.items() <= development.items()
    project = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert block is not None
    direct = {re.split(r"[\[<>=;]", name)[0] for name in re.findall(r'^ +"([^"]+)"', block[1], re.MULTILINE)}
    assert direct <= {entry.partition("==")[0] for entry in image}
    assert not {"pytest", "mypy", "pyyaml"} & {entry.partition("==")[0] for entry in image}


def test_the_image_checks_hashes_and_runs_without_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    installs = re.findall(r"pip install (.+)", dockerfile)
    assert len(installs) == 3
    for arguments in installs:
        assert "--require-hashes" in arguments or "--no-index" in arguments
    final = dockerfile[dockerfile.rindex("FROM ") :]
    user = re.findall(r"^USER (\d+):(\d+)$", final, re.MULTILINE)
    assert user
    assert "0" not in user[-1]
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for word in line.split()
    }
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_the_build_tool_is_taken_from_the_lock_with_its_hashes() -> None:
    command = re.search(r"sed -n '([^']+)' requirements.lock", (ROOT / "Dockerfile").read_text())
    assert command is not None
    cut = subprocess.run(
        ["sed", "-n", command[1], ROOT / "requirements.lock"], capture_output=True, text=True, check=True
    ).stdout
    assert cut.startswith("setuptools==")
    assert "--hash=sha256:" in cut
    assert cut.count("==") == 1


# -------------------------------------------------------------------------------------------------------- the scripts


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The scripts beside a `docker` that writes down what it was asked."""
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/start.sh", "scripts/stop.sh", ".env.sample"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/asked"\n')
    docker.chmod(0o755)
    return tmp_path


def searching(project: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def run(project: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", project / "scripts" / script, *arguments],
        env=searching(project),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def asked(project: Path) -> list[str]:
    file = project / "asked"
    return file.read_text().splitlines() if file.exists() else []


def test_the_first_start_makes_a_password_that_later_starts_keep(project: Path) -> None:
    assert run(project, "start.sh").returncode == 0
    made = (project / ".env").read_text()
    password = re.search(r"^POSTGRES_PASSWORD=([0-9a-f]{48})$", made, re.MULTILINE)
    assert password is not None
    assert (project / ".env").stat().st_mode & 0o777 == 0o600
    again = run(project, "start.sh")
    assert (project / ".env").read_text() == made
    assert password[1] not in again.stdout + again.stderr + "".join(asked(project))
    assert "compose up --detach --build --remove-orphans" in asked(project)


def test_start_says_that_docker_is_missing(project: Path) -> None:
    (project / "bin" / "docker").write_text("#!/bin/sh\nexit 1\n")
    answer = run(project, "start.sh")
    assert answer.returncode == 3
    assert "docker compose" in answer.stderr
    assert not (project / ".env").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "wiped"),
    [((), 0, False), (("--wipe",), 1, None), (("--wipe", "--yes"), 0, True), (("--yes",), 2, None), (("-x",), 2, None)],
)
def test_stop_without_a_terminal(project: Path, arguments: tuple[str, ...], code: int, wiped: bool | None) -> None:
    assert run(project, "stop.sh", *arguments).returncode == code
    down = "compose --profile terminal down --remove-orphans"
    assert asked(project) == ([] if wiped is None else [f"{down} --volumes" if wiped else down])


@pytest.mark.skipif(sys.platform == "win32", reason="it takes a pseudo-terminal")
@pytest.mark.parametrize(("answer", "wiped"), [("y", True), ("n", False), ("", False)])
def test_stop_asks_at_a_terminal(project: Path, answer: str, wiped: bool) -> None:
    child = pexpect.spawn("bash", [str(project / "scripts" / "stop.sh")], env=searching(project), encoding="utf-8")
    child.expect_exact("Delete every payment, alert and event")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert asked(project)[-1].endswith("--volumes") is wiped
