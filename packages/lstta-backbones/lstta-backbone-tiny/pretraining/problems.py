"""The unimodal problems: inputs with their truth, a probe on the encoder, a loss and accuracies.

Evaluation is on scenes that training has not seen, in the style of train and in the style of test.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from lstta_backbone_tiny.audio import RATE, TinyAudio
from lstta_backbone_tiny.language import MASK, SPECIAL, TinyLanguage, split_words
from lstta_backbone_tiny.visual import TinyVisual
from lstta_core.interfaces import Encoder
from lstta_tasks.generate import truth
from lstta_tasks.generate.avqa import plan
from lstta_tasks.generate.render import SceneRenderer
from lstta_tasks.generate.scene import INSTRUMENTS, POSITIONS, Split, sample_scene, scene_rng
from lstta_tasks.generate.synth import render_sound
from lstta_tasks.generate.vocabulary import ANSWERS
from lstta_tasks.tasks.avqa import fill

SEED = 7_000_000
"""Added to the seed of all pretraining scenes, so that none is a scene of the built-in data sets."""
NOBODY = len(INSTRUMENTS)

Batch = dict[str, Tensor]


class Queries(nn.Module):
    """One attention-pooled vector a question, and a linear answer: the probes of sight and sound."""

    def __init__(self, *, width: int, queries: int, answers: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, width) * 0.02)
        self.answer = nn.Parameter(torch.randn(queries, width, answers) * width**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """(R, M, D) to (R, queries, answers)."""
        weights = (tokens @ self.queries.T).softmax(1)
        return torch.einsum("rmq,rmd,qda->rqa", weights, tokens, self.answer)


class Problem(ABC):
    """One encoder's pretraining."""

    encoder: Encoder
    probe: nn.Module

    @abstractmethod
    def __init__(self, *, scenes: int, seed: int) -> None: ...

    @abstractmethod
    def draw(self, batch: int) -> Batch:
        """A random training batch."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The loss of a batch, ()."""

    @abstractmethod
    def evaluate(self) -> dict[str, Any]:
        """Accuracies by name."""

    def encode(self, inputs: Batch) -> Tensor:
        """The encoder's finished tokens."""
        state = self.encoder.embed(inputs)
        for block in range(self.encoder.depth):
            state = self.encoder.run_block(block, state)
        return self.encoder.finish(state).tokens


def render(function: Callable[[tuple[Split, int, int]], Batch], split: Split, scenes: int, seed: int) -> Batch:
    """What ``function`` makes of many scenes, joined; in two processes."""
    jobs = [(split, seed + SEED, i) for i in range(scenes)]
    with Pool(2) as pool:
        parts = list(tqdm(pool.imap(function, jobs, chunksize=16), total=scenes, desc=f"{split} scenes", disable=None))
    return {key: torch.from_numpy(np.concatenate([part[key] for part in parts])) for key in parts[0]}


def _pick(data: Batch, index: Tensor) -> Batch:
    return {key: value[index] for key, value in data.items()}


def _seen(job: tuple[Split, int, int]) -> dict[str, np.ndarray]:
    """Three random segments of a scene as the visual encoder sees them."""
    split, seed, index = job
    rng = scene_rng(seed, split, index)
    scene = sample_scene(rng, split)
    renderer = SceneRenderer(scene)
    frames, kinds, moves = [], [], []
    for second in rng.choice(int(scene.duration), 3, replace=False):
        pictures = [Image.fromarray(renderer.frame(second + offset)) for offset in (0.25, 0.75)]
        frames.append([np.asarray(p.resize((80, 48), Image.Resampling.BOX)) for p in pictures])
        at = {position: INSTRUMENTS.index(kind) for kind, position in truth.visible(scene)}
        moving = {position for _, position in truth.moving(scene, second, second + 1, least=0.6)}
        kinds.append([at.get(position, NOBODY) for position in POSITIONS])
        moves.append([position in moving for position in POSITIONS])
    outdoor = [scene.place == "outdoor"] * 3
    return {
        "frames": np.array(frames),
        "kind": np.array(kinds),
        "moving": np.array(moves),
        "outdoor": np.array(outdoor),
    }


class VisualProblem(Problem):
    """Which instrument stands at each position, does it move, is it outdoors."""

    def __init__(self, *, scenes: int, seed: int) -> None:
        self.encoder = TinyVisual()
        self.probe = Queries(width=128, queries=4, answers=NOBODY + 3)
        self.data = render(_seen, "train", scenes, seed)
        self.held_out = {split: render(_seen, split, scenes // 12, seed) for split in ("val", "test")}

    def draw(self, batch: int) -> Batch:
        drawn = _pick(self.data, torch.randint(len(self.data["kind"]), (batch,)))
        frames = drawn["frames"].float()
        colour = 1 + 0.2 * torch.randn(batch, 1, 1, 1, 3)
        brightness = 25 * torch.randn(batch, 1, 1, 1, 1)
        noise = 6 * torch.randn_like(frames)
        return {**drawn, "frames": (frames * colour + brightness + noise).clamp(0, 255).to(torch.uint8)}

    def answers(self, batch: Batch) -> Tensor:
        frames = batch["frames"][:, None]
        return self.probe(self.encode({"frames": frames, "mask": torch.ones(frames.shape[:3], dtype=torch.bool)}))

    def loss(self, batch: Batch) -> Tensor:
        answers = self.answers(batch)
        there = (batch["kind"] != NOBODY).float()
        kind = F.cross_entropy(answers[:, :3, : NOBODY + 1].flatten(0, 1), batch["kind"].flatten())
        moving = F.binary_cross_entropy_with_logits(
            answers[:, :3, -2], batch["moving"].float(), weight=there, reduction="sum"
        )
        outdoor = F.binary_cross_entropy_with_logits(answers[:, 3, -1], batch["outdoor"].float())
        return kind + moving / there.sum() + 0.3 * outdoor

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        result = {}
        for split, data in self.held_out.items():
            answers = torch.cat(
                [self.answers(_pick(data, index)) for index in torch.arange(len(data["kind"])).split(256)]
            )
            there = data["kind"] != NOBODY
            right = answers[:, :3, : NOBODY + 1].argmax(-1) == data["kind"]
            moving = ((answers[:, :3, -2] > 0) == data["moving"])[there]
            outdoor = (answers[:, 3, -1] > 0) == data["outdoor"]
            result[split] = {
                "instrument at a taken position": round(right[there].float().mean().item(), 4),
                "moving": round(moving.float().mean().item(), 4),
                "outdoor": round(outdoor.float().mean().item(), 4),
            }
        return result


def _heard(job: tuple[Split, int, int]) -> dict[str, np.ndarray]:
    """All segments of a scene as the audio encoder hears them."""
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
    return {"sound": sound, "loudness": loudness, "notes": notes, "voice": voice}


class AudioProblem(Problem):
    """Which instruments sound in a second, how loud, how many notes begin, and is there a voice."""

    def __init__(self, *, scenes: int, seed: int) -> None:
        self.encoder = TinyAudio()
        self.probe = Queries(width=128, queries=NOBODY + 1, answers=3)
        self.data = render(_heard, "train", scenes, seed)
        self.held_out = {split: render(_heard, split, scenes // 12, seed) for split in ("val", "test")}

    def draw(self, batch: int) -> Batch:
        drawn = _pick(self.data, torch.randint(len(self.data["voice"]), (batch,)))
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
        found = F.binary_cross_entropy_with_logits(answers[..., 0], present)
        level = batch["loudness"].clamp(min=1e-3).log() + 1
        loudness = (sounding * (answers[:, :NOBODY, 1] - level) ** 2).sum() / sounding.sum()
        notes = (sounding * (answers[:, :NOBODY, 2] - batch["notes"] / 2) ** 2).sum() / sounding.sum()
        return 4 * found + 0.3 * loudness + 0.3 * notes

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        result = {}
        for split, data in self.held_out.items():
            answers = torch.cat(
                [self.answers(_pick(data, index)) for index in torch.arange(len(data["voice"])).split(512)]
            )
            sounding = data["loudness"] > 0
            found = answers[:, :NOBODY, 0] > 0
            both = (found & sounding).sum().item()
            result[split] = {
                "F1 of instruments": round(2 * both / (found.sum() + sounding.sum()).item(), 4),
                "voice": round(((answers[:, NOBODY, 0] > 0) == data["voice"]).float().mean().item(), 4),
            }
        return result


class LanguageProblem(Problem):
    """Words that are hidden in a question."""

    def __init__(self, *, scenes: int, seed: int) -> None:
        texts = self.texts("train", scenes, seed)
        words = {word for text in [*texts, *ANSWERS] for word in split_words(text.replace("_", " "))}
        self.encoder = TinyLanguage(words=sorted(words))
        self.tokenize = self.encoder.spec.tokenize
        self.probe = nn.Linear(128, len(SPECIAL) + len(words))
        self.train_ids = self.tokens(texts)
        self.held_out = {split: self.tokens(self.texts(split, scenes // 6, seed)) for split in ("val", "test")}
        path = Path(__file__).parents[1] / "src/lstta_backbone_tiny/weights/words.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(sorted(words), indent=0) + "\n")

    @staticmethod
    def texts(split: Split, scenes: int, seed: int) -> list[str]:
        rows = [question for _, questions in plan(split, scenes, seed + SEED) for question in questions]
        return [fill(row.template.text, row.values, "generated") for row in rows]

    def tokens(self, texts: list[str]) -> Tensor:
        ids = [torch.tensor(self.tokenize(text)) for text in texts]
        return nn.utils.rnn.pad_sequence(ids, batch_first=True)

    def draw(self, batch: int) -> Batch:
        return self.hide(self.train_ids[torch.randint(len(self.train_ids), (batch,))], 0.25)

    def hide(self, ids: Tensor, share: float) -> Batch:
        hidden = (torch.rand(ids.shape) < share) & (ids > 0)
        return {"ids": torch.where(hidden, MASK, ids), "truth": ids, "hidden": hidden}

    def words(self, batch: Batch) -> Tensor:
        ids = batch["ids"][:, None]
        return self.probe(self.encode({"ids": ids, "mask": ids > 0}))

    def loss(self, batch: Batch) -> Tensor:
        return F.cross_entropy(self.words(batch)[batch["hidden"]], batch["truth"][batch["hidden"]])

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        result = {}
        for split, ids in self.held_out.items():
            batch = self.hide(ids, 0.15)
            right = self.words(batch).argmax(-1) == batch["truth"]
            result[split] = {"hidden words": round(right[batch["hidden"]].float().mean().item(), 4)}
        return result
