"""The page, made of gradio's parts. Nothing of it comes from another server, and nothing is told to one."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lstta_core.interfaces import Modality
from lstta_tasks.adapters import Predictor
from lstta_tasks.app.answering import alert, answer, refusal
from lstta_tasks.app.uploads import Uploads
from lstta_tasks.task import Task

if TYPE_CHECKING:
    import gradio

WAITING = 16
"""People whose questions wait; whoever comes then is asked to come again."""
TEXTS = {
    "avqa": "Question",
    "avqa-options": "Question",
    "sentiment": "What is said",
    "emotion": "What is said, the utterance first",
    "inference": "Statement",
    "humor": "Punchline, then its context",
    "retrieval": "Captions to rank, one a line",
    "captioning": "Question, if it is another than the task's own",
    "open-qa": "Question",
}
CSS = """
iframe[title="answer"] { width: 100%; min-height: 28rem; border: 0; }
p[role="alert"] { color: #b3261e; font-weight: 600; padding: .6rem .8rem; border: 1px solid; border-radius: 6px; }
.dark p[role="alert"] { color: #f2b8b5; }
"""
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'self'"
"""Of the page's contents: all of them come from where it comes from."""


def check_installed() -> None:
    """Refuse to go on without gradio.

    Raises:
        ValueError: it is not installed.
    """
    if find_spec("gradio") is None:
        raise ValueError("the page is made of gradio, which comes with an extra: pip install 'lstta-tasks[app]'")


def stay_at_home(folder: Path) -> None:
    """Have gradio, before it is imported, tell nobody that it runs, and write nowhere else than in this folder."""
    os.environ.update(
        GRADIO_ANALYTICS_ENABLED="False",
        HF_HUB_DISABLE_TELEMETRY="1",
        GRADIO_TEMP_DIR=str(folder),
        GRADIO_EXAMPLES_CACHE=str(folder / "examples"),
    )


def build(
    predictor: Predictor, adapter: str, uploads: Uploads, examples: Sequence[tuple[str, str]] = ()
) -> gradio.Blocks:
    """The page of one adapter, after :func:`stay_at_home`.

    Args:
        predictor: that answers, one question at a time.
        adapter: its name.
        uploads: where files are put.
        examples: videos with their texts.
    """
    import gradio as gr

    task = predictor.task

    def ask(video: str | None, text: str | None, options: str | None, subtitles: str | None) -> str:
        if video is None:
            return alert("Choose a video first.")
        path, timed = Path(video), None if subtitles is None else Path(subtitles)
        try:
            if not uploads.use(path, timed):
                return alert("What you uploaded was removed meanwhile: upload it again.")
            lines = [line.strip() for line in (options or "").splitlines() if line.strip()]
            return answer(predictor, adapter, path, text or "", options=lines, subtitles=timed)
        except Exception as error:
            if not isinstance(error, ValueError | OSError):
                logging.getLogger(__name__).exception("%s: no answer", path.name)
            return refusal(error, path)

    with gr.Blocks(title=f"LSTTA · {adapter}", analytics_enabled=False) as page:
        gr.Markdown(f"## {adapter}\n\n{_about(predictor)}")
        with gr.Row():
            with gr.Column(scale=2, min_width=280):
                video = gr.Video(label="Video", sources=["upload"], height=260)
                reads = Modality.LANGUAGE in predictor.specs
                text = gr.Textbox(label=TEXTS.get(task.name, "Text"), lines=2, max_lines=6, visible=reads)
                options = gr.Textbox(label="Options, one a line", lines=4, visible=_has_options(task))
                subtitles = gr.File(
                    label="Subtitles (srt, vtt)", file_types=[".srt", ".vtt"], visible=task.timed_text, height=90
                )
                button = gr.Button("Answer", variant="primary")
            with gr.Column(scale=3, min_width=280):
                said = gr.HTML(label="Answer", min_height=120)
        if examples:
            gr.Examples([list(one) for one in examples], [video, text], api_visibility="private")
        gr.on(
            [button.click, text.submit],
            ask,
            [video, text, options, subtitles],
            said,
            concurrency_limit=1,
            api_visibility="private",
        )
    uploads.keep_what_is_there()
    return page.queue(max_size=WAITING)


def launch(page: gradio.Blocks, *, host: str, port: int | None, most_bytes: int) -> str:
    """Serve the page from a thread of its own; its address.

    Args:
        page: of :func:`build`.
        host: address to listen at.
        port: to listen at; by default the first that is free from 7860 on.
        most_bytes: of an upload.

    Raises:
        OSError: the port is taken.
    """
    import gradio as gr

    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        share=False,
        prevent_thread_lock=True,
        quiet=True,
        inbrowser=False,
        max_file_size=most_bytes,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        footer_links=[],
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css=CSS,
        head=f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
    )
    return address


def _about(predictor: Predictor) -> str:
    names = ", ".join(f"{encoder.name} ({m})" for m, encoder in predictor.model.by_modality().items())
    return (
        f"Task `{predictor.task.name}`. Encoders: {names}. What you upload is read on the machine that shows this "
        "page, and removed soon after."
    )


def _has_options(task: Task) -> bool:
    return type(task).question is not Task.question
