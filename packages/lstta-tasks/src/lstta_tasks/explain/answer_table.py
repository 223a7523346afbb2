"""Answers as tables in the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lstta_tasks.answers.description import PROBABILITY, Answer
from lstta_tasks.escaped import escaped
from lstta_tasks.explain.infer import Inferred
from lstta_tasks.explain.words import amount, best, score

OTHERS = 3


def print_answers(inferred: Inferred) -> None:
    """One row an answer; of a ranking, a table of texts for a clip, or of clips for each text."""
    console = Console()
    for text, clips in inferred.rankings.items():
        console.print(Text(escaped(text), style="italic"))
        console.print(_ranked("clip", clips, inferred.measure))
    if not inferred.rankings:
        if inferred.measure != PROBABILITY:
            for one in inferred.explanations:
                console.print(Text(escaped(one.source.id), style="italic"))
                console.print(_ranked("text", list(one.answer.choices.items()), inferred.measure))
        else:
            console.print(_answered(inferred))
    for clip, note in inferred.notes.items():
        console.print(Text(escaped(f"{clip}: {note}"), style="dim"))
    for clip, reason in inferred.failed.items():
        console.print(Text(escaped(f"{clip} cannot be read: {reason}"), style="red"))
    for file, reason in inferred.skipped.items():
        console.print(Text(escaped(f"{file} is skipped: {reason}"), style="dim"))


def _answered(inferred: Inferred) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for name in ("clip", "text", "answer", "", "next"):
        table.add_column(name, justify="right" if name == "" else "left", overflow="fold", no_wrap=name == "")
    for one in inferred.explanations:
        answer = one.answer
        table.add_row(
            Text(escaped(one.source.id)),
            Text(escaped(one.text or "–")),
            Text(escaped(answer.text), style="bold"),
            _beside(answer),
            _others(answer),
        )
    return table


def _beside(answer: Answer) -> str:
    return amount(next(iter(answer.choices.values())), answer.measure) if answer.choices else score(answer)


def _others(answer: Answer) -> Text:
    others = best(answer, 1 + OTHERS)[1:] if answer.choices else []
    return Text(escaped(", ".join(f"{name} {amount(value, answer.measure)}" for name, value in others)))


def _ranked(column: str, choices: list[tuple[str, float]], measure: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("", justify="right")
    table.add_column(column, overflow="fold")
    table.add_column(measure, justify="right")
    for place, (name, value) in enumerate(choices, 1):
        table.add_row(str(place), Text(escaped(name)), f"{value:.3f}")
    return table
