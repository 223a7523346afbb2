"""The 33 question templates of MUSIC-AVQA, spelt as there, and the questions that a scene allows.

Trailing blanks and the full-width question mark are the data set's own. All 33 occur.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lstta_world import ask_alone, ask_both, reference
from lstta_world.reference import Asked
from lstta_world.scene import INSTRUMENTS, POSITIONS, Scene
from lstta_world.vocabulary import NUMBERS

YES_NO = ("yes", "no")


@dataclass(frozen=True, eq=False)
class Template:
    """One question of the data set.

    Attributes:
        type: (modality, kind), as in the data set.
        text: with placeholders.
        ask: yields (values for the placeholders, answer) for a scene.
        answers: what the answers may be in this world.
    """

    type: tuple[str, str]
    text: str
    ask: Callable[[Scene], Asked]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A template with values and answer, about one clip."""

    template: Template
    values: tuple[str, ...]
    answer: str


def all_questions(scene: Scene) -> dict[Template, list[Question]]:
    """Every question that can be asked about a scene without ambiguity, by template; templates without any left out."""
    asked = {t: [Question(t, values, answer) for values, answer in t.ask(scene)] for t in TEMPLATES}
    return {template: questions for template, questions in asked.items() if questions}


TEMPLATES = (
    Template(
        ("Audio", "Comparative"),
        "Is the <Object> louder than the <Object>?",
        ask_both.compare(reference.louder, "kind"),
        YES_NO,
    ),
    Template(
        ("Audio", "Comparative"),
        "Is the <Object> more rhythmic than the <Object>?",
        ask_both.compare(reference.faster, "kind"),
        YES_NO,
    ),
    Template(
        ("Audio", "Comparative"),
        "Is the <Object> playing longer than the <Object>?",
        ask_both.compare(reference.longer, "kind"),
        YES_NO,
    ),
    Template(("Audio", "Counting"), "Are there <Object> and <Object> sound? ", ask_alone.are_there_sounds, YES_NO),
    Template(
        ("Audio", "Counting"),
        "How many musical instruments were heard throughout the video?",
        ask_alone.how_many_heard,
        NUMBERS[:6],
    ),
    Template(("Audio", "Counting"), "Is there a <Object> sound?", ask_alone.is_there_a_sound, YES_NO),
    Template(
        ("Audio-Visual", "Comparative"),
        "Is the <Object> on the <LR> louder than the <Object> on the <LR>?",
        ask_both.compare(reference.louder, "both"),
        YES_NO,
    ),
    Template(
        ("Audio-Visual", "Comparative"),
        "Is the <Object> on the <LR> more rhythmic than the <Object> on the <LR>?",
        ask_both.compare(reference.faster, "both"),
        YES_NO,
    ),
    Template(
        ("Audio-Visual", "Comparative"),
        "Is the instrument on the <LR> louder than the instrument on the <LR>?",
        ask_both.compare(reference.louder, "place"),
        YES_NO,
    ),
    Template(
        ("Audio-Visual", "Comparative"),
        "Is the instrument on the <LR> more rhythmic than the instrument on the <LR>?",
        ask_both.compare(reference.faster, "place"),
        YES_NO,
    ),
    Template(
        ("Audio-Visual", "Counting"),
        "How many instruments are sounding in the video?",
        ask_both.how_many_sounding,
        NUMBERS[:4],
    ),
    Template(
        ("Audio-Visual", "Counting"),
        "How many instruments in the video did not sound from beginning to end?",
        ask_both.how_many_silent,
        NUMBERS[:4],
    ),
    Template(
        ("Audio-Visual", "Counting"),
        "How many sounding <Object> in the video？",
        ask_both.how_many_sounding_of_a_kind,
        NUMBERS[:4],
    ),
    Template(
        ("Audio-Visual", "Counting"),
        "How many types of musical instruments sound in the video?",
        ask_both.how_many_types_sounding,
        NUMBERS[:4],
    ),
    Template(
        ("Audio-Visual", "Existential"), "Is the <Object> in the video always playing?", ask_both.always_playing, YES_NO
    ),
    Template(("Audio-Visual", "Existential"), "Is there a voiceover?", ask_both.voiceover, YES_NO),
    Template(
        ("Audio-Visual", "Existential"),
        "Is this sound from the instrument in the video?",
        ask_both.sound_from_video,
        YES_NO,
    ),
    Template(
        ("Audio-Visual", "Location"),
        "Is the <FL> sound coming from the <LR> instrument?",
        ask_both.sound_from_place,
        YES_NO,
    ),
    Template(
        ("Audio-Visual", "Location"),
        "What is the <LR> instrument of the <FL> sounding instrument?",
        ask_both.beside_sounding,
        INSTRUMENTS,
    ),
    Template(("Audio-Visual", "Location"), "Where is the <LL> instrument?", ask_both.where_loudest, POSITIONS),
    Template(
        ("Audio-Visual", "Location"),
        "Which is the musical instrument that sounds at the same time as the <Object>?",
        ask_both.at_the_same_time,
        INSTRUMENTS,
    ),
    Template(
        ("Audio-Visual", "Temporal"), "What is the <TH> instrument that comes in?", ask_both.who_comes_in, INSTRUMENTS
    ),
    Template(
        ("Audio-Visual", "Temporal"), "Where is the <FL> sounding instrument?", ask_both.where_sounding, POSITIONS
    ),
    Template(
        ("Audio-Visual", "Temporal"),
        "Which <Object> makes the sound <FL>?",
        ask_both.which_of_a_kind,
        (*POSITIONS, "simultaneously"),
    ),
    Template(
        ("Audio-Visual", "Temporal"),
        "Which instrument makes sounds <BA> the <Object>?",
        ask_both.before_or_after,
        INSTRUMENTS,
    ),
    Template(
        ("Visual", "Counting"),
        "Are there <Object> and <Object> instruments in the video?",
        ask_alone.are_there_instruments,
        YES_NO,
    ),
    Template(
        ("Visual", "Counting"), "How many <Object> are in the entire video?", ask_alone.how_many_visible, NUMBERS[:4]
    ),
    Template(
        ("Visual", "Counting"),
        "How many types of musical instruments appeared in the entire video?",
        ask_alone.how_many_types_visible,
        NUMBERS[1:4],
    ),
    Template(("Visual", "Counting"), "Is there a <Object> in the entire video?", ask_alone.is_there_visible, YES_NO),
    Template(("Visual", "Location"), "What is the instrument on the <LR> of <Object>?", ask_alone.beside, INSTRUMENTS),
    Template(
        ("Visual", "Location"), "What kind of instrument is the <LRer> instrument? ", ask_alone.outermost, INSTRUMENTS
    ),
    Template(("Visual", "Location"), "What kind of musical instrument is it?", ask_alone.what_is_it, INSTRUMENTS),
    Template(("Visual", "Location"), "Where is the performance?", ask_alone.which_place, ("indoor", "outdoor")),
)
