"""``python scripts/audit.py [LOCK...]``: are the pinned packages whole, still offered, and free of known flaws?

Looks into the lock files (every package pinned and hashed), at what is installed (``pip check``), at OSV for advisories
and, where a package index is named, there for releases that were withdrawn. Exit code 1 where something is wrong; a
source that cannot be reached is named and fails nothing, so that a check without a network still checks the rest.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_LOCKS = ("requirements.lock", "requirements-runtime.lock")
_WITHIN_S = 15.0
_AT_ONCE = 8
_NO_ANSWER = (OSError, ValueError, KeyError, TypeError)  # not reached, or not the JSON that is meant

Package = tuple[str, str]  # name and version


def pinned(lock: str, text: str) -> tuple[set[Package], list[str]]:
    """The packages of a lock file, and what is wrong with its lines."""
    found: set[Package] = set()
    wrong: list[str] = []
    logical = text.replace("\\\n", " ").splitlines()
    for line in (line.strip() for line in logical):
        if not line or line.startswith("#"):
            continue
        pin = re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line)
        if pin is None:
            wrong.append(f"{lock}: not pinned: {line[:80]}")
            continue
        found.add((pin[1], pin[2]))
        if "--hash=sha256:" not in line:
            wrong.append(f"{lock}: {pin[1]} has no hash")
    return found, wrong


def _fetch(url: str, body: object = None) -> Any:
    """The JSON at this address. Raises one of ``_NO_ANSWER``."""
    request = urllib.request.Request(url, headers={"Content-Type": "application/json"})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(request, data, timeout=_WITHIN_S) as answer:
        return json.load(answer)


def advisories(source: str, packages: list[Package]) -> list[str]:
    """Sentences about packages with known flaws. Raises one of ``_NO_ANSWER``."""
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages]
    results = _fetch(f"{source}/v1/querybatch", {"queries": queries})["results"]
    return [
        f"{name} {version}: {', '.join(flaw['id'] for flaw in result['vulns'])} (https://osv.dev/list?q={name})"
        for (name, version), result in zip(packages, results, strict=True)
        if result.get("vulns")
    ]


def withdrawn(source: str, package: Package) -> str | None:
    """A sentence where this release was taken back. Raises one of ``_NO_ANSWER``."""
    name, version = package
    files = _fetch(f"{source}/pypi/{name}/json")["releases"].get(version, [])
    if files and all(file["yanked"] for file in files):
        return f"{name} {version} was withdrawn: {files[0]['yanked_reason'] or 'no reason is given'}"
    return None


def all_withdrawn(source: str, packages: list[Package]) -> list[str]:
    """Sentences about releases that were taken back. Raises one of ``_NO_ANSWER``, the first that comes up."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            return [sentence for sentence in pool.map(partial(withdrawn, source), packages) if sentence]
        except _NO_ANSWER:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def main() -> int:
    parser = argparse.ArgumentParser(prog="python scripts/audit.py", description=__doc__)
    parser.add_argument("locks", nargs="*", type=Path, default=[_ROOT / name for name in _LOCKS])
    parser.add_argument("--osv", default="https://api.osv.dev")
    parser.add_argument("--pypi", metavar="URL", help="the package index that answers as PyPI does; none is assumed")
    given = parser.parse_args()
    packages: set[Package] = set()
    wrong: list[str] = []
    for lock in given.locks:
        found, faults = pinned(lock.name, lock.read_text())
        packages |= found
        wrong += faults
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    wrong += checked.stdout.splitlines() if checked.returncode else []
    chosen = sorted(packages)
    print(f"{len(chosen)} packages are pinned", file=sys.stderr)
    try:
        wrong += advisories(given.osv, chosen)
    except _NO_ANSWER as error:
        print(f"known flaws were not looked for: {given.osv} cannot be asked ({error})", file=sys.stderr)
    if given.pypi is None:
        print("withdrawn releases were not looked for: --pypi names the index to ask", file=sys.stderr)
    else:
        try:
            wrong += all_withdrawn(given.pypi, chosen)
        except _NO_ANSWER as error:
            print(f"withdrawn releases were not looked for: {given.pypi} cannot be asked ({error})", file=sys.stderr)
    for sentence in wrong:
        print(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
