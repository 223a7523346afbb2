"""Pretrain the tiny encoders on unimodal problems of the built-in world, and write the weights that ship.

    python pretrain.py visual     what is drawn where, what moves, expressions of faces, indoors or outdoors
    python pretrain.py audio      what sounds, how loud, how many notes; is there a voice, and its tone
    python pretrain.py language   masked words in the texts of all built-in data sets
    python pretrain.py speaker    the next word in them; reads the vocabulary that `language` has written

Not part of the wheel. Needs lstta-tasks for the world; MODEL_CARD.md has the commands, seeds and accuracies.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from audio import AudioProblem
from language import LanguageProblem
from problems import Problem
from safetensors.torch import save_file
from speaker import SpeakerProblem
from tqdm import tqdm
from visual import VisualProblem

WEIGHTS = Path(__file__).parents[1] / "src/lstta_backbone_tiny/weights"
PROBLEMS: dict[str, type[Problem]] = {
    "visual": VisualProblem,
    "audio": AudioProblem,
    "language": LanguageProblem,
    "speaker": SpeakerProblem,
}


def train(problem: Problem, steps: int, batch: int, lr: float) -> None:
    """AdamW with a one-cycle schedule; the problem's probe trains along and is thrown away."""
    parameters = [*problem.encoder.parameters(), *problem.probe.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps, pct_start=0.1)
    problem.encoder.train()
    bar = tqdm(range(steps), mininterval=5)
    for step in bar:
        loss = problem.loss(problem.draw(batch))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}")
    problem.encoder.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", choices=PROBLEMS)
    parser.add_argument("--scenes", type=int, default=6000, help="scenes to train on")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    problem = PROBLEMS[args.encoder](scenes=args.scenes, seed=args.seed)
    train(problem, args.steps, args.batch, args.lr)
    WEIGHTS.mkdir(exist_ok=True)
    tensors = {name: tensor.half().contiguous() for name, tensor in problem.encoder.state_dict().items()}
    problem.encoder.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    save_file(tensors, WEIGHTS / f"{args.encoder}.safetensors")
    (WEIGHTS / f"{args.encoder}.safetensors").chmod(0o644)
    print(json.dumps({"encoder": args.encoder, **vars(args), **problem.evaluate()}, indent=1))


if __name__ == "__main__":
    main()
