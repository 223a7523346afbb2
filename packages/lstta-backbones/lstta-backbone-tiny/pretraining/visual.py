"""The visual encoder's problem: which instrument stands where and moves, the expression of a face, the place."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from problems import NOBODY, TALKERS, Batch, Problem, Queries, draw_both, pick, random_talk, render, share
from torch import Tensor

from lstta_backbone_tiny.visual import TinyVisual
from lstta_world import talk_truth, truth
from lstta_world.random_scenes import sample_scene
from lstta_world.render import SceneRenderer
from lstta_world.scene import INSTRUMENTS, POSITIONS
from lstta_world.splits import Split, scene_rng
from lstta_world.talk import EXPRESSIONS
from lstta_world.talk_render import TalkRenderer

NO_FACE = len(EXPRESSIONS)
PLACE, FACE = len(POSITIONS), len(POSITIONS) + 1  # the queries after those of the positions


def small(picture: np.ndarray) -> np.ndarray:
    """A frame as the encoder sees it."""
    return np.asarray(Image.fromarray(picture).resize((80, 48), Image.Resampling.BOX))


def see_scene(job: tuple[Split, int, int]) -> dict[str, np.ndarray]:
    """Three random segments of a scene."""
    split, seed, index = job
    rng = scene_rng(seed, split, index)
    scene = sample_scene(rng, split)
    renderer = SceneRenderer(scene)
    frames, kinds, moves = [], [], []
    for second in rng.choice(int(scene.duration), 3, replace=False):
        frames.append([small(renderer.frame(second + offset)) for offset in (0.25, 0.75)])
        at = {position: INSTRUMENTS.index(kind) for kind, position in truth.visible(scene)}
        moving = {position for _, position in truth.moving(scene, second, second + 1, least=0.6)}
        kinds.append([at.get(position, NOBODY) for position in POSITIONS])
        moves.append([position in moving for position in POSITIONS])
    return {
        "frames": np.array(frames),
        "kind": np.array(kinds),
        "moving": np.array(moves),
        "outdoor": np.array([scene.place == "outdoor"] * 3),
        "expression": np.array([NO_FACE] * 3),
        "mouth": np.array([False] * 3),
    }


def see_talk(job: tuple[Split, int, int]) -> dict[str, np.ndarray]:
    """Three random pairs of frames of a talker, within each of which neither expression nor motion changes."""
    split, seed, index = job
    rng = scene_rng(seed, split, index + TALKERS)
    talk = random_talk(rng, split)
    renderer = TalkRenderer(talk)
    frames, expressions, mouths = [], [], []
    while len(frames) < 3:
        first = float(rng.uniform(0, talk.duration - 0.5))
        times = (first, first + float(rng.choice((0.25, 0.5))))
        seen = {(talk_truth.expression_at(talk, t), talk_truth.mouth_moves(talk, t)) for t in times}
        if len(seen) > 1:
            continue
        expression, mouth = seen.pop()
        frames.append([small(renderer.frame(t)) for t in times])
        expressions.append(EXPRESSIONS.index(expression))
        mouths.append(mouth)
    return {
        "frames": np.array(frames),
        "kind": np.full((3, len(POSITIONS)), NOBODY),
        "moving": np.zeros((3, len(POSITIONS)), bool),
        "outdoor": np.array([talk.person.place == "outdoor"] * 3),
        "expression": np.array(expressions),
        "mouth": np.array(mouths),
    }


def moved(frames: Tensor) -> Tensor:
    """Frames (R, 2, H, W, 3), both of a pair made larger or smaller, stretched and shifted a little; borders go on."""
    rows = len(frames)
    size = torch.exp(0.09 * torch.randn(rows, 1).clamp(-2, 2) + 0.04 * torch.randn(rows, 2))
    shift = torch.tensor([0.04, 0.05]) * torch.randn(rows, 2)
    pictures = frames.permute(0, 1, 4, 2, 3).flatten(1, 2)  # both frames' channels
    maps = torch.cat([torch.diag_embed(1 / size), shift[..., None]], 2)
    grid = F.affine_grid(maps, list(pictures.shape), align_corners=False)
    pictures = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    return pictures.unflatten(1, (2, 3)).permute(0, 1, 3, 4, 2)


class VisualProblem(Problem):
    """Which instrument stands at each position, does it move; what expression, does the mouth move; is it outdoors."""

    def __init__(self, *, scenes: int, seed: int) -> None:
        self.encoder = TinyVisual()
        self.probe = Queries(width=128, queries=FACE + 1, answers=NOBODY + 3)
        self.scenes, self.talks = (render(see, "train", scenes, seed) for see in (see_scene, see_talk))
        self.held_out = {
            split: [render(see, split, scenes // 12, seed) for see in (see_scene, see_talk)]
            for split in ("val", "test")
        }

    def draw(self, batch: int) -> Batch:
        drawn = draw_both(self.scenes, self.talks, batch)
        frames = moved(drawn["frames"].float())
        contrast = torch.empty(batch, 1, 1, 1, 1).uniform_(0.65, 1.15)
        frames = 128 + contrast * (frames - 128)
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
        kind = F.cross_entropy(answers[:, :PLACE, : NOBODY + 1].flatten(0, 1), batch["kind"].flatten())
        moving = F.binary_cross_entropy_with_logits(
            answers[:, :PLACE, -2], batch["moving"].float(), weight=there, reduction="sum"
        )
        outdoor = F.binary_cross_entropy_with_logits(answers[:, PLACE, -1], batch["outdoor"].float())
        expression = F.cross_entropy(answers[:, FACE, : NO_FACE + 1], batch["expression"])
        face = (batch["expression"] != NO_FACE).float()
        mouth = F.binary_cross_entropy_with_logits(
            answers[:, FACE, -2], batch["mouth"].float(), weight=face, reduction="sum"
        )
        musicians = kind + moving / there.sum() + 0.3 * outdoor
        return musicians + 0.5 * expression + 0.5 * mouth / face.sum()

    @torch.no_grad()
    def evaluate(self) -> dict[str, Any]:
        result = {}
        for split, (scenes, talks) in self.held_out.items():
            of_scenes, of_talks = (
                torch.cat([self.answers(pick(data, index)) for index in torch.arange(len(data["kind"])).split(256)])
                for data in (scenes, talks)
            )
            there = scenes["kind"] != NOBODY
            kind = of_scenes[:, :PLACE, : NOBODY + 1].argmax(-1)
            result[split] = {
                "instrument at a taken position": share(kind[there], scenes["kind"][there]),
                "moving": share((of_scenes[:, :PLACE, -2] > 0)[there], scenes["moving"][there]),
                "outdoor": share(of_scenes[:, PLACE, -1] > 0, scenes["outdoor"]),
                "expression": share(of_talks[:, FACE, : NO_FACE + 1].argmax(-1), talks["expression"]),
                "mouth moving": share(of_talks[:, FACE, -2] > 0, talks["mouth"]),
            }
        return result
