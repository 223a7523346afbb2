"""The emotion of an utterance in a dialogue: a table of news, face and tone. Everything in this file is our choice.

The news is that of the words, or, after a remark that tells nothing, that of the last utterance that told some. Given
the news each emotion is as likely as the others, so that no text predicts any; a face or a tone leaves several open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from lstta_world import talk_truth
from lstta_world.remarks import News, news
from lstta_world.talk import Expression, Talk, Tone

Emotion = Literal["neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger"]
Sentiment = Literal["positive", "neutral", "negative"]
EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)

# The three tones in which people talk to each other.
BRIGHT = Tone("rising", wide=True, loud=True)
HARSH = Tone("falling", wide=True, loud=True)
FLAT = Tone("level", wide=False, loud=False)
TONES = (BRIGHT, HARSH, FLAT)

# What a face means in a bright, a harsh and a flat tone.
TABLE: dict[News, dict[Expression, tuple[Emotion, Emotion, Emotion]]] = {
    "good": {
        "smile": ("joy", "anger", "joy"),
        "wide": ("surprise", "fear", "surprise"),
        "frown": ("disgust", "anger", "sadness"),
        "blank": ("joy", "surprise", "neutral"),
    },
    "bad": {
        "smile": ("joy", "disgust", "neutral"),
        "wide": ("surprise", "fear", "fear"),
        "frown": ("fear", "anger", "sadness"),
        "blank": ("sadness", "anger", "sadness"),
    },
    "foul": {
        "smile": ("surprise", "neutral", "disgust"),
        "wide": ("joy", "disgust", "fear"),
        "frown": ("disgust", "anger", "sadness"),
        "blank": ("surprise", "disgust", "neutral"),
    },
}


def emotion(talk: Talk, before: Sequence[str]) -> Emotion:
    """The emotion of a clip.

    Args:
        talk: the utterance.
        before: the texts of the dialogue's utterances before it, in time.

    Raises:
        ValueError: neither the line nor any before it tells any news, or the tone is none of :data:`TONES`.
    """
    told = news_of([*before, talk.line])
    if talk.tone not in TONES:
        raise ValueError(f"{talk.tone} is none of the tones of dialogues: {TONES}")
    return TABLE[told][talk_truth.expression(talk)][TONES.index(talk.tone)]


def news_of(lines: Sequence[str]) -> News:
    """The news that the last of these lines is about.

    Raises:
        ValueError: none of them tells any.
    """
    for line in reversed(lines):
        told = news(line)
        if told is not None:
            return told
    raise ValueError(f"no news in {list(lines)}: a dialogue begins with some")


def expressed(told: News, wanted: Emotion) -> list[tuple[Expression, Tone]]:
    """All faces and tones that give this emotion after this news; at least one."""
    return [
        (face, tone)
        for face, meanings in TABLE[told].items()
        for tone, meaning in zip(TONES, meanings, strict=True)
        if meaning == wanted
    ]


def sentiment(told: News, felt: Emotion) -> Sentiment:
    """The coarse label of the same utterance: a surprise is as good as its news."""
    if felt == "neutral":
        return "neutral"
    return "positive" if felt == "joy" or (felt == "surprise" and told == "good") else "negative"
