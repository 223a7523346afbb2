"""The seconds of a clip that an answer rests on: pure functions of what happens in it. Our choice throughout.

Sound matters while what is asked about sounds, and sight while that is seen to play; of what comes first, the second in
which it comes in; of what comes last, the time that it has to itself. No second matters more than another for what
stands in the picture all the time (kinds, places), and for what never happens (a "no" to "Is there a …?").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lstta_world import truth
from lstta_world.film import Film
from lstta_world.questions import Question
from lstta_world.reference import entering, kind_of
from lstta_world.scene import POSITIONS, Scene
from lstta_world.spans import Spans, complement, entries, intersection, left_alone, playing, union
from lstta_world.talk import Talk
from lstta_world.talk_truth import spoken


@dataclass(frozen=True)
class Relevant:
    """Spans by modality; none where no second matters more than another."""

    visual: Spans
    audio: Spans


Evidence = Callable[[Scene, Question], Relevant]
Who = Callable[[Scene, Question], list[int]]
When = Callable[[Scene, Iterable[int]], Spans]


def relevant_to(scene: Scene, question: Question) -> Relevant:
    """What the answer to a question about a scene rests on, within the clip."""
    evidence = EVIDENCE[question.template.text](scene, question)
    clip = [(0.0, scene.duration)]
    return Relevant(intersection(evidence.visual, clip), intersection(evidence.audio, clip))


def relevant_in_talk(talk: Talk) -> Relevant:
    """What a speaker means rests on the line: the face shows something else before and after it, the voice nothing."""
    return Relevant([spoken(talk)], [spoken(talk)])


def relevant_in_shot(film: Film, shot: int) -> Relevant:
    """What the speaker of one shot means rests on that shot's line, likewise."""
    return Relevant([film.spoken(shot)], [film.spoken(shot)])


# Who is asked about, of those that sound, in the order in which they come in.


def everybody(scene: Scene, question: Question) -> list[int]:
    return truth.heard(scene)


def visible(scene: Scene, question: Question) -> list[int]:
    return [i for i in truth.heard(scene) if scene.performers[i].visible]


def named(scene: Scene, question: Question) -> list[int]:
    """By place where the question says one, else by kind."""
    if places := [value for value in question.values if value in POSITIONS]:
        return [i for i in truth.heard(scene) if scene.performers[i].position in places]
    return [i for i in truth.heard(scene) if kind_of(scene, i) in question.values]


def named_and_visible(scene: Scene, question: Question) -> list[int]:
    return [i for i in named(scene, question) if scene.performers[i].visible]


def named_if_there(scene: Scene, question: Question) -> list[int]:
    return named(scene, question) if question.answer == "yes" else []


def named_and_answer(scene: Scene, question: Question) -> list[int]:
    return [i for i in truth.heard(scene) if kind_of(scene, i) in (*question.values, question.answer)]


def up_to_the_nth(scene: Scene, question: Question) -> list[int]:
    return truth.heard(scene)[: ("first", "second", "third").index(question.values[0]) + 1]


# What matters of them.


def ears(who: Who, when: When = playing) -> Evidence:
    """Sound alone."""
    return lambda scene, question: Relevant([], when(scene, who(scene, question)))


def ears_and_eyes(who: Who, when: When = playing) -> Evidence:
    """Sound, and sight of those who are visible."""

    def evidence(scene: Scene, question: Question) -> Relevant:
        meant = who(scene, question)
        return Relevant(when(scene, [i for i in meant if scene.performers[i].visible]), when(scene, meant))

    return evidence


def anything(scene: Scene, question: Question) -> Relevant:
    """No second more than another."""
    return Relevant([], [])


def first_or_last(scene: Scene, question: Question) -> Relevant:
    """Of the one that is first or last: its entry, or the time that it has to itself."""
    place = 0 if "first" in question.values else -1
    performer = entering(scene, place)
    assert performer is not None, question
    spans = entries(scene, [performer]) if place == 0 else left_alone(scene, performer)
    return Relevant(spans if scene.performers[performer].visible else [], spans)


def together(scene: Scene, question: Question) -> Relevant:
    """When the one that is named and the one that is the answer both sound."""
    first, second = named_and_answer(scene, question)
    spans = intersection(playing(scene, [first]), playing(scene, [second]))
    return Relevant(spans if all(scene.performers[i].visible for i in (first, second)) else [], spans)


def rests(scene: Scene, question: Question) -> Relevant:
    """When the named one is still; nothing if it always plays or never does."""
    played = playing(scene, named_and_visible(scene, question))
    if question.answer == "yes" or not played:
        return Relevant([], [])
    still = complement(played, scene.duration)
    return Relevant(still, still)


def speech(scene: Scene, question: Question) -> Relevant:
    return Relevant([], union(truth.phrases(scene.voice)))


EVIDENCE: dict[str, Evidence] = {
    "Is the <Object> louder than the <Object>?": ears(named),
    "Is the <Object> more rhythmic than the <Object>?": ears(named),
    "Is the <Object> playing longer than the <Object>?": ears(named),
    "Are there <Object> and <Object> sound? ": ears(named_if_there),
    "How many musical instruments were heard throughout the video?": ears(everybody),
    "Is there a <Object> sound?": ears(named_if_there),
    "Is the <Object> on the <LR> louder than the <Object> on the <LR>?": ears_and_eyes(named),
    "Is the <Object> on the <LR> more rhythmic than the <Object> on the <LR>?": ears_and_eyes(named),
    "Is the instrument on the <LR> louder than the instrument on the <LR>?": ears_and_eyes(named),
    "Is the instrument on the <LR> more rhythmic than the instrument on the <LR>?": ears_and_eyes(named),
    "How many instruments are sounding in the video?": ears_and_eyes(everybody),
    "How many instruments in the video did not sound from beginning to end?": ears_and_eyes(visible),
    "How many sounding <Object> in the video？": ears_and_eyes(named_and_visible),
    "How many types of musical instruments sound in the video?": ears_and_eyes(everybody),
    "Is the <Object> in the video always playing?": rests,
    "Is there a voiceover?": speech,
    "Is this sound from the instrument in the video?": ears_and_eyes(everybody),
    "Is the <FL> sound coming from the <LR> instrument?": first_or_last,
    "What is the <LR> instrument of the <FL> sounding instrument?": first_or_last,
    "Where is the <LL> instrument?": ears_and_eyes(everybody),
    "Which is the musical instrument that sounds at the same time as the <Object>?": together,
    "What is the <TH> instrument that comes in?": ears_and_eyes(up_to_the_nth, entries),
    "Where is the <FL> sounding instrument?": first_or_last,
    "Which <Object> makes the sound <FL>?": ears_and_eyes(named_and_visible, entries),
    "Which instrument makes sounds <BA> the <Object>?": ears_and_eyes(named_and_answer, entries),
    "Are there <Object> and <Object> instruments in the video?": anything,
    "How many <Object> are in the entire video?": anything,
    "How many types of musical instruments appeared in the entire video?": anything,
    "Is there a <Object> in the entire video?": anything,
    "What is the instrument on the <LR> of <Object>?": anything,
    "What kind of instrument is the <LRer> instrument? ": anything,
    "What kind of musical instrument is it?": anything,
    "Where is the performance?": anything,
}
"""By the text of the question's template."""
