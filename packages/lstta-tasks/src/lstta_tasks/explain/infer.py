"""Answers for a clip or a folder of clips, from an adapter folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from lstta_core.interfaces import Encoder, Modality
from lstta_core.whole_files import write_text
from lstta_tasks.adapters import Predictor, load
from lstta_tasks.annotations.subtitles import OPTION, read_subtitles, subtitles_beside
from lstta_tasks.annotations.text import check_encoding
from lstta_tasks.data.ahead import ahead
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.features import needs_clips
from lstta_tasks.data.folder import named_clips
from lstta_tasks.data.senses import lacking
from lstta_tasks.doctor.probe import probe
from lstta_tasks.escaped import printable
from lstta_tasks.explain.excerpt import read_media
from lstta_tasks.explain.explain import AT_ONCE, Shown, asked_of, explain_together
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.page import article, page
from lstta_tasks.explain.picture import save_picture
from lstta_tasks.failures import Failures, check_name

LONGEST = 200  # bytes of a picture's name
SHOWN = 0.5  # seconds of a file behind its clip from which they are told


@dataclass(frozen=True)
class Inferred:
    """What was answered.

    Attributes:
        adapter: its folder.
        predictor: that answered.
        explanations: one an answer; of a ranking, one a clip.
        failed: clips that cannot be answered for, such as those that cannot be read, with the reason.
        texts: what was asked.
        skipped: what else is in the folders, with the reason why it is no clip.
        notes: what clips that were answered for lack, and of which not all was seen.
    """

    adapter: Path
    predictor: Predictor
    explanations: Sequence[Explanation]
    failed: Mapping[str, str]
    texts: Sequence[str] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

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
    clips: Path | Sequence[Path],
    texts: Sequence[str] = (),
    *,
    options: Sequence[str] = (),
    subtitles: Path | None = None,
    encoding: str | None = None,
    encoders: Mapping[Modality, Encoder] | None = None,
    moved: Mapping[str, str] | None = None,
    device: str | None = None,
) -> Inferred:
    """Ask about media files, or each in folders and in those within; one that fails costs no other its answer.

    Args:
        adapter: a folder that training wrote.
        clips: files and folders, or one of them. For an adapter whose encoders read features in place of pictures and
            sound: the names that clips have in the files of features.
        texts: as the task has them; each is asked of each clip. None for an answer without words.
        options: to choose from, for tasks whose texts have them: put behind each text.
        subtitles: of a file, for a task that reads them; by default ``.srt`` or ``.vtt`` files beside the clips.
        encoding: of subtitles that are neither UTF-8 nor UTF-16 with a mark.
        encoders: for adapters whose encoders no plugin registers, see :func:`lstta_tasks.adapters.load`.
        moved: where encoders lie now, see there.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default a GPU where there is one.

    Raises:
        FileNotFoundError: the adapter is not there, or a folder holds no video.
        ValueError: no clip can be read (the message names all and why), or an argument does not fit the task.
    """
    if encoding is not None:
        check_encoding(encoding, OPTION)
    asked = [clips] if isinstance(clips, Path) else list(clips)
    if subtitles is not None and (len(asked) > 1 or asked[0].is_dir()):
        raise ValueError("one file of subtitles is for one clip; those of several lie beside them, as CLIP.srt")
    predictor = load(adapter, encoders, moved=moved, device=device)
    by_name = not needs_clips(predictor.specs)
    files, others = ({path.as_posix(): path for path in asked}, {}) if by_name else named_clips(asked)
    given = () if subtitles is None else read_subtitles(subtitles, encoding)
    at_once = max(1, AT_ONCE // len(asked_of(predictor.task, texts, options, timed=bool(given))))
    explanations: list[Explanation] = []
    waiting: list[Shown] = []
    failed, notes = Failures(), dict[str, str]()
    clip_of = predictor.task.clip_of
    decoded = ahead(files.items(), lambda one: predictor.decode(clip_of(*one)), most=at_once + 1)
    for (name, file), future in tqdm(decoded, total=len(files), desc="answer", unit="clip", disable=None, leave=False):
        beside = subtitles_beside(file) if predictor.task.timed_text and subtitles is None else None
        with failed.of(name):
            check_name(name)
            timed = given if beside is None else read_subtitles(beside, encoding)
            clip, source = future.result(), clip_of(name, file)
            said = [] if clip is None else [lacking(clip, predictor.specs, name), _unseen(source)]
            waiting.append((source, clip, timed))
            if any(said):
                notes[printable(name)] = "; ".join(filter(None, said))
        if beside is not None:
            others.pop(beside, None)
        if len(waiting) >= at_once:
            explanations += _answered(predictor, waiting, texts, options, failed)
            waiting = []
    explanations += _answered(predictor, waiting, texts, options, failed)
    if not explanations:
        told = ", ".join(map(str, asked))
        failed.end(f"{told}: none of {len(files)} videos can be read", alone=len(files) == 1)
    skipped = {printable(name): reason for name, reason in others.values()}
    return Inferred(adapter, predictor, explanations, failed.reasons, texts, skipped, notes)


def _unseen(source: ClipSource) -> str | None:
    """That a file goes on well behind its clip, in words."""
    more = 0.0 if source.end is None else probe(source).goes_on
    return f"answered of its first {source.end:g} s; it goes on for {more:.1f} s" if more > SHOWN else None


def _answered(
    predictor: Predictor, shown: Sequence[Shown], texts: Sequence[str], options: Sequence[str], failed: Failures
) -> list[Explanation]:
    """Of clips together; where one of them fails, of each by itself, so that it costs no other its answer."""
    if len(shown) > 1:
        with suppress(Exception):  # whatever it is, it is raised again by the clip whose it is
            return [*chain(*explain_together(predictor, shown, texts, options))]
    found: list[Explanation] = []
    for one in shown:
        with failed.of(one[0].id):
            found += explain_together(predictor, [one], texts, options)[0]
    return found


def draw(inferred: Inferred, out: Path, *, most: int, undrawn: Failures | None = None) -> tuple[Path, list[Path]]:
    """Write ``index.html`` and a PNG file an explanation into a folder, of the first ``most`` explanations.

    Where clips were ranked, those that fit the first text best come first. A clip that cannot be drawn is told on the
    page, and costs no other its picture.

    Args:
        inferred: what was answered.
        out: the folder; made where it is missing.
        most: how many.
        undrawn: takes the reasons for clips that cannot be drawn.

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
    undrawn = Failures() if undrawn is None else undrawn
    for explanation in tqdm(order[:most], desc="draw", unit="clip", disable=None, leave=False):
        stem = Path(explanation.source.id).with_suffix("").as_posix().replace("/", "_")
        with undrawn.of(explanation.source.id):
            media = read_media(explanation.source, inferred.predictor.preprocessing, explanation.duration)
            path = _free(out, stem, pictures)
            save_picture(explanation, media, path)
            articles.append(article(explanation, media))
            pictures.append(path)
    names = list(dict.fromkeys(e.source.id for e in order))
    content = page(
        title=names[0] if len(names) == 1 else f"{len(names)} clips",
        subtitle=_subtitle(inferred, len(articles), len(order)),
        articles=articles,
        rankings=inferred.rankings,
        measure=inferred.measure,
        failed=inferred.failed,
        undrawn=undrawn.reasons,
    )
    path = page_of(out)
    write_text(path, content)
    return path, pictures


def page_of(out: Path) -> Path:
    """The page that :func:`draw` writes into a folder."""
    return out / "index.html"


def _subtitle(inferred: Inferred, drawn: int, answers: int) -> str:
    predictor = inferred.predictor
    said = f"Task {predictor.task.name}, adapter {inferred.adapter}"
    return said if drawn == answers else f"{said}; {drawn} of {answers} answers are drawn here"


def _free(out: Path, stem: str, taken: Sequence[Path]) -> Path:
    """A name that no other picture of this call has, short enough for a file system."""
    stem = stem.encode()[:LONGEST].decode(errors="ignore")
    path, number = out / f"{stem}.png", 2
    while path in taken:
        path, number = out / f"{stem}-{number}.png", number + 1
    return path
