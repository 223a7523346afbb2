"""A data set's folder: annotations, the seconds that matter, and films, each file whole or not at all."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from lstta_world.catalogue import CATALOGUE
from lstta_world.data_set import Counts, DataSet
from lstta_world.generated_folder import GeneratedFolder, Report
from lstta_world.missing_films import write_missing_films
from lstta_world.relevant_seconds import RELEVANT_SECONDS, relevant_seconds_file
from lstta_world.splits import SPLITS
from lstta_world.whole_files import write_bytes


def generate(
    name: str,
    root: Path | str,
    *,
    train: int | None = None,
    val: int | None = None,
    test: int | None = None,
    seed: int = 0,
    workers: int = 2,
) -> Report:
    """Write a data set.

    A second run with the same arguments does nothing; one that was interrupted goes on where it was.

    Args:
        name: of :data:`~lstta_world.catalogue.CATALOGUE`.
        root: the folder to write.
        train, val, test: clips of each split; by default as many as the catalogue says.
        seed: of all that is random.
        workers: processes that render; 1 renders in this one.

    Raises:
        ValueError: there is no such data set, or ``root`` holds something that was not generated with these arguments.
    """
    if name not in CATALOGUE:
        raise ValueError(f"no data set {name!r} can be generated: there are {', '.join(CATALOGUE)}")
    entry = CATALOGUE[name]
    data_set: DataSet = import_module(f"lstta_world.{entry.module}").DATA_SET
    asked = zip((train, val, test), entry.clips, strict=True)
    counts: Counts = dict(zip(SPLITS, [usual if count is None else count for count, usual in asked], strict=True))
    sizes = {str(split): count for split, count in counts.items()}
    folder = GeneratedFolder(Path(root), {**data_set.recorded, **sizes, "seed": seed})
    earlier = folder.begin()
    if earlier is not None:
        return earlier
    contents = data_set.contents(counts, seed)
    files = {**contents.annotations, RELEVANT_SECONDS: relevant_seconds_file(contents.relevant)}
    for path, content in files.items():
        if not (folder.root / path).is_file():
            (folder.root / path).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(folder.root / path, content)
    films = {folder.root / path: shown for path, shown in contents.films.items()}
    rendered, kept = write_missing_films(films, workers)
    return folder.finish(counts, contents.samples, rendered, kept)
