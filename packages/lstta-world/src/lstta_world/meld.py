"""Built-in dialogues with emotions, in MELD's own files.

``<root>/{train,dev,test}_sent_emo.csv`` with all its columns, and a clip an utterance, ``dia{D}_utt{U}.mp4``, in
``train_splits``, ``dev_splits_complete`` and ``output_repeated_splits_test``, the folders of MELD's raw archive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from numpy.random import Generator

from lstta_world import emotions
from lstta_world.casting import sample_person, sample_talk
from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.emotions import EMOTIONS, Emotion, expressed, news_of
from lstta_world.film import Film
from lstta_world.relevance import relevant_in_talk
from lstta_world.relevant_seconds import RelevantSample
from lstta_world.remarks import KINDS, sample_news, sample_remark
from lstta_world.splits import Split, scene_rng
from lstta_world.talk import SECONDS, Talk
from lstta_world.whole_files import csv_bytes

FILES: dict[Split, str] = {
    "train": "train_sent_emo.csv",
    "val": "dev_sent_emo.csv",
    "test": "test_sent_emo.csv",
}
FOLDERS: dict[Split, str] = {
    "train": "train_splits",
    "val": "dev_splits_complete",
    "test": "output_repeated_splits_test",
}
HEADER = (
    "Sr No.",
    "Utterance",
    "Speaker",
    "Emotion",
    "Sentiment",
    "Dialogue_ID",
    "Utterance_ID",
    "Season",
    "Episode",
    "StartTime",
    "EndTime",
)
NAMES = ("Ada", "Ben", "Clara", "David", "Emma", "Frank", "Grace", "Hugo")
SHORTEST, LONGEST = 3, 6  # utterances of a dialogue
REMARK = 0.6  # how often news are followed by a remark; two remarks never follow each other
PAUSE = 500  # milliseconds between two utterances
EPISODES = 24  # of a season


@dataclass(frozen=True)
class Utterance:
    """One row: what is said and shown, by whom, where in which dialogue, with which labels."""

    talk: Talk
    speaker: str
    emotion: Emotion
    sentiment: emotions.Sentiment
    dialogue: int
    number: int
    start: int  # milliseconds into the episode


def plan(split: Split, clips: int, seed: int) -> list[Utterance]:
    """The utterances of a split, without rendering anything; the last dialogue ends where ``clips`` are reached."""
    planned: list[Utterance] = []
    dialogue = 0
    while len(planned) < clips:
        planned += _dialogue(scene_rng(seed, split, dialogue), split, dialogue)
        dialogue += 1
    return planned[:clips]


def texts(split: Split, clips: int, seed: int) -> list[str]:
    """The utterances of a split's clips."""
    return [utterance.talk.line for utterance in plan(split, clips, seed)]


def clip_name(utterance: Utterance) -> str:
    """The clip's file without its ending."""
    return f"dia{utterance.dialogue}_utt{utterance.number}"


def clock(milliseconds: int) -> str:
    """A time as MELD writes it: ``00:16:16,059``."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"


def _dialogue(rng: Generator, split: Split, dialogue: int) -> Iterator[Utterance]:
    speakers = [NAMES[i] for i in rng.permutation(len(NAMES))[:2]]
    people = [sample_person(rng, split) for _ in speakers]
    start = int(rng.integers(20 * 60_000))
    said: list[str] = []
    remark = False
    for number in range(int(rng.integers(SHORTEST, LONGEST + 1))):
        remark = bool(said) and not remark and bool(rng.random() < REMARK)
        line = sample_remark(rng) if remark else sample_news(rng, KINDS[rng.integers(len(KINDS))])
        told = news_of([*said, line])
        wanted = EMOTIONS[rng.integers(len(EMOTIONS))]
        ways = expressed(told, wanted)
        face, tone = ways[rng.integers(len(ways))]
        talk = sample_talk(rng, people[number % 2], line=line, tone=tone, expression=face)
        felt = emotions.emotion(talk, said)
        coarse = emotions.sentiment(told, felt)
        yield Utterance(talk, speakers[number % 2], felt, coarse, dialogue, number, start)
        said.append(line)
        start += round(1000 * SECONDS) + PAUSE


def _row(serial: int, utterance: Utterance) -> tuple[object, ...]:
    season, episode = divmod(utterance.dialogue % (9 * EPISODES), EPISODES)
    return (
        serial,
        utterance.talk.line,
        utterance.speaker,
        utterance.emotion,
        utterance.sentiment,
        utterance.dialogue,
        utterance.number,
        season + 1,
        episode + 1,
        clock(utterance.start),
        clock(utterance.start + round(1000 * utterance.talk.duration)),
    )


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of four seconds, a clip an utterance."""
    planned = {split: plan(split, count, seed) for split, count in counts.items()}
    return Contents(
        samples=counts,
        annotations={
            FILES[split]: csv_bytes(HEADER, [_row(serial, u) for serial, u in enumerate(utterances, 1)])
            for split, utterances in planned.items()
        },
        films={
            f"{FOLDERS[split]}/{clip_name(u)}.mp4": Film((u.talk,))
            for split, utterances in planned.items()
            for u in utterances
        },
        relevant={
            split: {clip_name(u): RelevantSample(relevant_in_talk(u.talk)) for u in utterances}
            for split, utterances in planned.items()
        },
    )


DATA_SET = DataSet({"dataset": "emotion"}, contents)
