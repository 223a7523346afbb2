"""The audio encoder's problem: which instruments sound and how, is there a voice, and what is its tone."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from problems import NOBODY, TALKERS, Batch, Problem, Queries, draw_both, pick, random_talk, render, share
from torch import Tensor

from lstta_backbone_tiny.audio import RATE, TinyAudio
from lstta_world import talk_truth, truth
from lstta_world.random_scenes import sample_scene
from lstta_world.scene import INSTRUMENTS
from lstta_world.speech import render_speech
from lstta_world.splits import Split, scene_rng
from lstta_world.synth import render_sound
from lstta_world.talk import CONTOURS

NO_TONE = -100  # where nobody talks, or too shortly; what cross entropy leaves out
LEAST = 0.35  # seconds of a line that show its tone
VOICE, TONE = NOBODY, NOBODY + 1  # the queries after those of the instruments


def hear_scene(job: tuple[Split, int, int]) -> dict[str, np.ndarray]:
    """All seconds of a scene."""
    split, seed, index = job
    scene = sample_scene(scene_rng(seed, split, index), split)
    seconds = int(scene.duration)
    sound = render_sound(scene, RATE)[: seconds * RATE].reshape(seconds, RATE)
    loudness = np.zeros((seconds, NOBODY), np.float32)
    notes = np.zeros((seconds, NOBODY), np.float32)
    voice = np.zeros(seconds, bool)
    for second in range(seconds):
        for kind, gain in truth.sounding(scene, second, second + 1).items():
            loudness[second, INSTRUMENTS.index(kind)] = gain
        voice[second] = truth.speaking(scene, second, second + 1)
    for note in scene.notes:
        if note.onset < seconds:
            notes[int(note.onset), INSTRUMENTS.index(scene.performers[note.performer].instrument)] += 1
    unknown = np.full(seconds, NO_TONE)
    tone = {"contour": unknown, "wide": unknown, "loud": unknown}
    return {"sound": sound, "loudness": loudness, "notes": notes, "voice": voice, **tone}


def hear_talk(job: tuple[Split, int, int]) -> dict[str, np.ndarray]:
    """Four random seconds of a talker's clip."""
    split, seed, index = job
    rng = scene_rng(seed, split, index + TALKERS)
    talk = random_talk(rng, split)
    whole = render_speech(talk, RATE)
    starts = rng.uniform(0, talk.duration - 1, 4)
    audible = np.array([talk_truth.speaks(talk, start, start + 1, LEAST) for start in starts])
    tone = talk.tone
    return {
        "sound": np.stack([whole[round(start * RATE) :][:RATE] for start in starts]),
        "loudness": np.zeros((4, NOBODY), np.float32),
        "notes": np.zeros((4, NOBODY), np.float32),
        "voice": np.array([talk_truth.speaks(talk, start, start + 1) for start in starts]),
        "contour": np.where(audible, CONTOURS.index(tone.contour), NO_TONE),
        "wide": np.where(audible, int(tone.wide), NO_TONE),
        "loud": np.where(audible, int(tone.loud), NO_TONE),
    }


class AudioProblem(Problem):
    """Which instruments sound in a second, how loud, how many notes begin; is there a voice, and what is its tone."""

    def __init__(self, *, scenes: int, seed: int) -> None:
        self.encoder = TinyAudio()
        self.probe = Queries(width=128, queries=TONE + 1, answers=7)
        # Twice as many talks, since each gives half as many seconds.
        sources = ((hear_scene, 1), (hear_talk, 2))
        self.scenes, self.talks = (render(hear, "train", scenes * times, seed) for hear, times in sources)
        self.held_out = {
            split: [render(hear, split, scenes * times // 12, seed) for hear, times in sources]
            for split in ("val", "test")
        }

    def draw(self, batch: int) -> Batch:
        drawn = draw_both(self.scenes, self.talks, batch)
        sound = drawn["sound"].float()
        gain = torch.exp(0.15 * torch.randn(batch, 1))
        # A first-order filter tilts the spectrum: timbres differ more than the scenes' own.
        tilt = 0.3 * torch.randn(batch, 1).clamp(-2, 2)
        sound = (sound + tilt * F.pad(sound, (1, 0))[:, :-1]) * gain
        sound = sound + 32768 * 10 ** torch.empty(batch, 1).uniform_(-3.5, -2.2) * torch.randn_like(sound)
        return {**drawn, "sound": sound.clamp(-32768, 32767).to(torch.int16)}

    def answers(self, batch: Batch) -> Tensor:
        sound = batch["sound"][:, None]
        return self.probe(self.encode({"sound": sound, "length": torch.full(sound.shape[:2], sound.shape[-1])}))

    def loss(self, batch: Batch) -> Tensor:
        answers = self.answers(batch)
        sounding = (batch["loudness"] > 0).float()
        present = torch.cat([sounding, batch["voice"][:, None].float()], 1)
        presence = F.binary_cross_entropy_with_logits(answers[:, :TONE, 0], present)
        level = batch["loudness"].clamp(min=1e-3).log() + 1
        loudness = (sounding * (answers[:, :NOBODY, 1] - level) ** 2).sum() / sounding.sum()
        notes = (sounding * (answers[:, :NOBODY, 2] - batch["notes"] / 2) ** 2).sum() / sounding.sum()
        tone = sum(F.cross_entropy(part, batch[name]) for name, part in self.tone(answers).items())
        return 4 * presence + 0.3 * loudness + 0.3 * notes + 0.3 * tone

    @staticmethod
    def tone(answers: Tensor) -> dict[str, Tensor]:
        """The logits of contour, range and loudness."""
        contour, wide, loud = answers[:, TONE].split((len(CONTOURS), 2, 2), 1)
        return {"contour": contour, "wide": wide, "loud": loud}

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        result = {}
        for split, (scenes, talks) in self.held_out.items():
            of_scenes, of_talks = (
                torch.cat([self.answers(pick(data, index)) for index in torch.arange(len(data["voice"])).split(512)])
                for data in (scenes, talks)
            )
            sounding = scenes["loudness"] > 0
            heard = of_scenes[:, :NOBODY, 0] > 0
            both = (heard & sounding).sum().item()
            known = talks["contour"] != NO_TONE
            result[split] = {
                "F1 of instruments": round(2 * both / (heard.sum() + sounding.sum()).item(), 4),
                "voice": share(of_scenes[:, VOICE, 0] > 0, scenes["voice"]),
                "talker's voice": share(of_talks[:, VOICE, 0] > 0, talks["voice"]),
                **{
                    name: share(part.argmax(-1)[known], talks[name][known])
                    for name, part in self.tone(of_talks).items()
                },
            }
        return result
