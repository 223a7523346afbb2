"""The fast tests on each Python of this machine, with the lowest and the newest versions that our packages allow.

    pip install nox uv
    nox                                        all of it: an environment of 5 GB and 13 minutes of a core each
    nox -s "tests-3.12(newest)" -- tests/test_tools.py packages/lstta-core

What came out last stands in docs/versions.md. The exact versions of ``constraints.txt`` are `make test`'s and CI's.
"""

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
PACKAGES = sorted(str(path.parent) for path in Path("packages").rglob("pyproject.toml"))
# A lowest version without a wheel is none for most users; these have none at all.
SOURCES = ("fvcore", "iopath")
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}


@nox.session(python=["3.11", "3.12", "3.13"])
@nox.parametrize("versions", [nox.param(name, id=name) for name in RESOLUTIONS])
def tests(session: nox.Session, versions: str) -> None:
    """Install our packages, then what tests need, and run the fast tests, or those that are named after ``--``."""
    wheels = ["--only-binary", ":all:", *(word for name in SOURCES for word in ("--no-binary", name))]
    ours = [word for package in PACKAGES for word in ("--editable", package)]
    session.install("--resolution", RESOLUTIONS[versions], *wheels, *ours)
    session.install("-r", "requirements-test.txt", "hatchling", "pip")
    session.run("uv", "pip", "list", external=True)
    session.run("python", "-m", "pytest", *session.posargs, env={"OMP_NUM_THREADS": "1"})
