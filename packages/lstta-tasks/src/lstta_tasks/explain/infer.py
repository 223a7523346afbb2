"""Answers for a clip or a folder of clips, from an adapter folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from lstta_core.finite import NotFiniteError
from lstta_core.interfaces import Encoder, Modality
from lstta_tasks.adapters import Predictor, load
from lstta_tasks.annotations.subtitles import OPTION, read_subtitles, subtitles_beside
from lstta_tasks.annotations.text import check_encoding
from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.folder import videos_in
from lstta_tasks.explain.excerpt import read_media
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.page import article, page
from lstta_tasks.explain.picture import save_picture


@dataclass(frozen=True)
class Inferred:
    """What was answered.

    Attributes:
        adapter: its folder.
        predictor: that answered.
        explanations: one an answer; of a ranking, one a clip.
        failed: clips that cannot be read, with the reason.
        texts: what was asked.
    """

    adapter: Path
    predictor: Predictor
    explanations: Sequence[Explanation]
    failed: Mapping[str, str]
    texts: Sequence[str] = ()

    @property
    def rankings(self) -> dict[str, list[tuple[str, float]]]:
        """The clips by how well they fit each text, best first; empty unless several clips were compared."""
        if not self.predictor.task.answer.ranks or len(self.explanations) < 2:
            return {}
        texts = [text for text in dict.fromkeys(self.texts) if text.strip()]
        scores = {text: [(e.source.id, e.answer.choices[text]) for e in self.explanations] for text in texts}
        return {text: sorted(of_text, key=lambda one: -one[1]) for text, of_text in scores.items()}

    @property
    def measure(self) -> str:
        """Of what answers chose from."""
        return self.explanations[0].answer.measure


def infer(
    adapter: Path,
    clips: Path,
    texts: Sequence[str] = (),
    *,
    options: Sequence[str] = (),
    subtitles: Path | None = None,
    encoding: str | None = None,
    encoders: Mapping[Modality, Encoder] | None = None,
) -> Inferred:
    """Ask about a video file, or about each in a folder and the folders in it.

    Args:
        adapter: a folder that training wrote.
        clips: a file or a folder.
        texts: as the task has them; each is asked of each clip. None for an answer without words.
        options: to choose from, for tasks whose texts have them: put behind each text.
        subtitles: of a file, for a task that reads them; by default ``.srt`` or ``.vtt`` files beside the clips.
        encoding: of subtitles that are neither UTF-8 nor UTF-16 with a mark.
        encoders: for adapters whose encoders no plugin registers, see :func:`lstta_tasks.adapters.load`.

    Raises:
        FileNotFoundError: the adapter is not there, or the folder holds no video.
        ValueError: no clip can be read, or an argument does not fit the task.
    """
    if encoding is not None:
        check_encoding(encoding, OPTION)
    files = videos_in(clips) if clips.is_dir() else [clips]
    if subtitles is not None and clips.is_dir():
        raise ValueError("one file of subtitles is for one clip; those of a folder lie beside its clips, as CLIP.srt")
    predictor = load(adapter, encoders)
    given = () if subtitles is None else read_subtitles(subtitles, encoding)
    explanations: list[Explanation] = []
    failed: dict[str, str] = {}
    for file in tqdm(files, desc="answer", unit="clip", disable=None, leave=False):
        name = str(file.relative_to(clips)) if clips.is_dir() else file.name
        beside = subtitles_beside(file) if predictor.task.timed_text and subtitles is None else None
        try:
            name.encode()
            timed = given if beside is None else read_subtitles(beside, encoding)
            explanations += explain(predictor, file, texts, options=options, timed=timed, name=name)
        except (DecodeError, NotFiniteError) as error:
            failed[name] = str(error)
        except UnicodeEncodeError:
            failed[repr(name)] = "its name is no Unicode text: rename it"
    if not explanations:
        reason = next(iter(failed.values()))
        raise ValueError(reason if len(files) == 1 else f"{clips}: none of {len(files)} videos can be read: {reason}")
    return Inferred(adapter, predictor, explanations, failed, texts)


def draw(inferred: Inferred, out: Path, *, most: int) -> tuple[Path, list[Path]]:
    """Write ``index.html`` and a PNG file an explanation into a folder, of the first ``most`` explanations.

    Where clips were ranked, those that fit the first text best come first.

    Returns:
        The page and the pictures.
    """
    order = list(inferred.explanations)
    if inferred.rankings:
        first = next(iter(inferred.rankings))
        order.sort(key=lambda e: -e.answer.choices[first])
    out.mkdir(parents=True, exist_ok=True)
    articles: list[str] = []
    pictures: list[Path] = []
    for explanation in tqdm(order[:most], desc="draw", unit="clip", disable=None, leave=False):
        media = read_media(explanation.source, inferred.predictor.preprocessing, explanation.duration)
        stem = Path(explanation.source.id).with_suffix("").as_posix().replace("/", "_")
        pictures.append(_free(out, stem, pictures))
        save_picture(explanation, media, pictures[-1])
        articles.append(article(explanation, media))
    names = list(dict.fromkeys(e.source.id for e in order))
    path = out / "index.html"
    content = page(
        title=names[0] if len(names) == 1 else f"{len(names)} clips",
        subtitle=_subtitle(inferred, len(articles), len(order)),
        articles=articles,
        rankings=inferred.rankings,
        measure=inferred.measure,
        failed=inferred.failed,
    )
    path.write_text(content, encoding="utf-8")
    return path, pictures


def _subtitle(inferred: Inferred, drawn: int, answers: int) -> str:
    predictor = inferred.predictor
    said = f"Task {predictor.task.name}, adapter {inferred.adapter}"
    return said if drawn == answers else f"{said}; {drawn} of {answers} answers are drawn here"


def _free(out: Path, stem: str, taken: Sequence[Path]) -> Path:
    """A name that no other picture of this call has."""
    path, number = out / f"{stem}.png", 2
    while path in taken:
        path, number = out / f"{stem}-{number}.png", number + 1
    return path
