"""Promises the repository makes about itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def imported_by(module: str) -> set[str]:
    """Top-level modules loaded by importing ``module`` in a fresh interpreter: deferred imports show here, too."""
    code = f"import sys, {module}; print(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("package", ["schema", "ksqldb", "core"])
def test_nothing_below_the_control_center_loads_textual(package: str) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name not in {"__main__.py"}
    ]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name.removesuffix('.__init__'))\n"
    code += "assert 'textual' not in sys.modules, 'textual was loaded'"
    done = subprocess.run([sys.executable, "-c", code, *modules], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]


def test_detection_loads_no_input_or_output_library() -> None:
    assert imported_by("core.detection").isdisjoint({"asyncpg", "aiokafka", "confluent_kafka", "httpx"})


def test_the_lock_pins_every_package_with_hashes_and_names_no_registry() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    lines = text.replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert requirements
    for requirement in requirements:
        assert "==" in requirement, requirement
        assert "--hash=sha256:" in requirement, requirement


def test_the_lock_covers_every_direct_dependency() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    text = (ROOT / "pyproject.toml").read_text()
    blocks = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    named = [name for block in blocks for name in re.findall(r'^ +"([^"]+)"', block, re.MULTILINE)]
    direct = {re.split(r"[\[<>=;]", name)[0].lower() for name in named}
    assert direct
    assert direct <= locked
