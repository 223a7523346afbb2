"""What the page says: the answer of a video as HTML, or in one line why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from lstta_tasks.adapters import Predictor
from lstta_tasks.annotations.subtitles import read_subtitles
from lstta_tasks.explain.excerpt import read_media
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.page import article, page
from lstta_tasks.explain.words import one_line
from lstta_tasks.failures import reason_of

LONGEST = 300  # characters of a reason
AS_TALL_AS_WHAT_IS_IN_IT = (
    "const inside = this.contentDocument.body;"
    "new ResizeObserver(() => this.style.height = inside.scrollHeight + 4 + 'px').observe(inside)"
)


def answer(
    predictor: Predictor,
    adapter: str,
    video: Path,
    text: str,
    *,
    options: Sequence[str] = (),
    subtitles: Path | None = None,
) -> str:
    """A whole page of its own about one video, in a frame of the page around it.

    Args:
        predictor: of the adapter.
        adapter: its name.
        video: any file.
        text: as the task has it; where texts are ranked, one a line.
        options: to choose from, for tasks that have them.
        subtitles: for tasks that read them.

    Raises:
        ValueError: the file is no video, or the text does not fit the task.
    """
    texts = [line for line in text.splitlines() if line.strip()] if predictor.task.answer.ranks else [text]
    timed = () if subtitles is None else read_subtitles(subtitles, None)
    found = explain(predictor, video, texts, options=options, timed=timed, name=video.name)[0]
    media = read_media(found.source, predictor.preprocessing, found.duration)
    content = page(
        title=video.name,
        subtitle=f"Task {predictor.task.name}, adapter {adapter}",
        articles=[article(found, media)],
        rankings={},
        measure=found.answer.measure,
        failed={},
    )
    return f'<iframe title="answer" srcdoc="{escape(content)}" onload="{AS_TALL_AS_WHAT_IS_IN_IT}"></iframe>'


def refusal(error: Exception, path: Path) -> str:
    """One line about an error, without where the file lies here."""
    return alert(reason_of(error).replace(str(path), path.name))


def alert(text: str) -> str:
    """A line in place of an answer."""
    return f'<p role="alert">{escape(one_line(text, LONGEST))}</p>'
