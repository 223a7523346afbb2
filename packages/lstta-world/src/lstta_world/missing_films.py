"""The films of a data set that are not there yet, rendered by several processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from lstta_world.film_files import write_film
from lstta_world.shown import Shown


def write_missing_films(films: Mapping[Path, Shown], workers: int) -> tuple[int, int]:
    """Render the films whose files are not there, with a progress bar.

    Args:
        films: files, in folders that may not exist yet, and what they show.
        workers: processes; 1 renders in this one.

    Returns:
        How many were rendered and how many were there.
    """
    missing = [(path, shown) for path, shown in films.items() if not path.is_file()]
    for folder in dict.fromkeys(path.parent for path in films):
        folder.mkdir(parents=True, exist_ok=True)
    with tqdm(total=len(films), initial=len(films) - len(missing), desc="clips", unit="clip", disable=None) as bar:
        if workers <= 1 or len(missing) < 2:
            for film in missing:
                _write(film)
                bar.update()
        else:
            # Spawned rather than forked: a fork would inherit locks of whatever threads the caller runs.
            context = multiprocessing.get_context("spawn")
            with _away_from_here(), ProcessPoolExecutor(workers, mp_context=context) as pool:
                for _ in pool.map(_write, missing, chunksize=4):
                    bar.update()
    return len(missing), len(films) - len(missing)


@contextmanager
def _away_from_here() -> Iterator[None]:
    """Processes that are started meanwhile import nothing from the working directory, which may be a stranger's."""
    before, paths = os.environ.get("PYTHONSAFEPATH"), list(sys.path)
    os.environ["PYTHONSAFEPATH"] = "1"
    sys.path[:] = [path for path in paths if path and Path(path) != Path.cwd()]
    try:
        yield
    finally:
        sys.path[:] = paths
        os.environ.pop("PYTHONSAFEPATH")
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before


def _write(film: tuple[Path, Shown]) -> None:
    write_film(*film)
