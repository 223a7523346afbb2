"""The network of retrieval: a tower for clips, a tower for texts, and where wanted one for pairs of both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.interfaces import Inputs, LanguageSpec, Modality, TrimodalOutput
from lstta_core.processes import from_first_process, gather_over_processes, gather_padded, place, processes
from lstta_tasks.network import TaskNetwork, TaskOutput, Tower
from lstta_tasks.retrieval.losses import mine


@dataclass(frozen=True)
class Embedded:
    """What the network gives for a batch of B clips, each with a text.

    In training B counts the clips of all processes, in the order of ranks.

    Attributes:
        clips: (B, E), float32, unit vectors.
        texts: (B, E), float32, unit vectors.
        scale: (), the inverse temperature.
        right: (2B,) scores of right pairs, the scaled cosine corrected by the matcher; None in dual mode and without
            targets.
        wrong: (2B,) scores of as many wrong ones that look right; likewise.
        match: (B,), the scaled cosine as the matcher corrects it; only :meth:`RetrievalNetwork.explain` tells, where
            there is a matcher.
        target: (B,), equal for pairs of the same clip; where there are several processes in training.
    """

    clips: Tensor
    texts: Tensor
    scale: Tensor
    right: Tensor | None = None
    wrong: Tensor | None = None
    match: Tensor | None = None
    target: Tensor | None = None


class Embedder(nn.Module):
    """A tower and a last layer that gives unit vectors.

    Args:
        tower: of what is embedded.
        head: (B, width) to (B, E).
    """

    def __init__(self, *, tower: Tower, head: nn.Module) -> None:
        super().__init__()
        self.trimodal = tower.trimodal
        self.readout = tower.readout
        self.head = head

    def forward(self, inputs: Inputs) -> tuple[Tensor, Mapping[Modality, Tensor]]:
        """(B, E) in float32, and the importances of the last stage that has them."""
        return self._embed(self.trimodal(inputs))

    def explain(self, inputs: Inputs) -> TaskOutput:
        """The same, and where the readout looked."""
        output: TrimodalOutput = self.trimodal(inputs)
        return TaskOutput(*self._embed(output), self.readout.attention(output))

    def _embed(self, output: TrimodalOutput) -> tuple[Tensor, Mapping[Modality, Tensor]]:
        vectors = F.normalize(self.head(self.readout(output)).float(), dim=-1)
        return vectors, output.importances[-1] if output.importances else {}


class Matcher(nn.Module):
    """A tower of all three modalities, and one number: how much better they fit together than their embeddings say.

    Args:
        tower: of visual, audio and language.
        head: (B, width) to (B, 1).
    """

    def __init__(self, *, tower: Tower, head: nn.Module) -> None:
        super().__init__()
        self.trimodal = tower.trimodal
        self.readout = tower.readout
        self.head = head

    def forward(self, inputs: Inputs) -> Tensor:
        """(B,) in float32."""
        return self.head(self.readout(self.trimodal(inputs))).float()[:, 0]


class Temperature(nn.Module):
    """A learned inverse temperature, between 1 and 100 and 1 / 0.07 at the start, as in CLIP (Radford et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self) -> Tensor:
        """()."""
        with torch.no_grad():  # the value itself: clamped in the formula, it would get no gradient to come back by
            self.log_scale.clamp_(0, math.log(100))
        return self.log_scale.exp()


@final
class RetrievalNetwork(TaskNetwork):
    """Clips and texts are embedded without each other; a matcher, if there is one, sees them together.

    Args:
        clips: reads sight and sound.
        texts: reads words.
        matcher: reads all three, for the second pass.
    """

    def __init__(self, *, clips: Embedder, texts: Embedder, matcher: Matcher | None = None) -> None:
        super().__init__()
        self.clips = clips
        self.texts = texts
        self.matcher = matcher
        self.temperature = Temperature()

    def forward(self, inputs: Inputs, target: Tensor | None = None) -> TaskOutput:
        """An :class:`Embedded` and the importances of the clips; with targets, the matcher's scores of mined pairs.

        In training each clip and each text is among those of all processes, which gives what one with the whole batch
        would.
        """
        clips, importances = self.clips(inputs)
        texts, _ = self.texts(inputs)
        output = Embedded(clips, texts, self.temperature())
        if target is None:
            return TaskOutput(output, importances)
        several = self.training and processes() > 1
        if several:
            clips, texts, target = (gather_over_processes(own) for own in (clips, texts, target))
            output = replace(output, clips=clips, texts=texts, target=target)
        if self.matcher is not None:
            similarity = (output.scale * clips @ texts.T).detach()
            pairs = torch.cat(mine(similarity, target))
            scores = self._match_of_all(inputs, from_first_process(pairs)) if several else self._match(inputs, pairs)
            right, wrong = (similarity[pairs[:, 0], pairs[:, 1]] + scores).chunk(2)
            output = replace(output, right=right, wrong=wrong)
        return TaskOutput(output, importances)

    def explain(self, inputs: Inputs) -> TaskOutput:
        """As :meth:`forward`, with the match of each pair, and where the clips' readout looked, whatever the text."""
        clips = self.clips.explain(inputs)
        texts, _ = self.texts(inputs)
        output = Embedded(clips.output, texts, self.temperature())
        if self.matcher is not None:
            cosine = (output.clips * output.texts).sum(1)
            output = replace(output, match=output.scale * cosine + self.matcher(inputs))
        return replace(clips, output=output)

    def score(self, inputs: Inputs) -> Tensor:
        """How much the matcher adds to the scaled cosine of each clip and its text, (B,).

        Raises:
            NotImplementedError: there is no matcher.
        """
        if self.matcher is None:
            return super().score(inputs)
        scores: Tensor = self.matcher(inputs)
        return scores

    def _match(self, inputs: Inputs, pairs: Tensor) -> Tensor:
        """(P,) of pairs (P, 2), clip and text, each computed once."""
        unique, where = pairs.unique(dim=0, return_inverse=True)
        return self._scores(inputs, unique)[where]

    def _match_of_all(self, inputs: Inputs, pairs: Tensor) -> Tensor:
        """The same of pairs of all processes, each computed by the process that has its clip: texts are small."""
        assert self.matcher is not None
        unique, where = pairs.unique(dim=0, return_inverse=True)  # in the order of clips, and so of processes
        spec = self.matcher.trimodal.by_modality()[Modality.LANGUAGE].spec
        padding = {"ids": spec.pad_id} if isinstance(spec, LanguageSpec) else {}
        words = {
            name: gather_padded(tensor, padding.get(name, 0)) for name, tensor in inputs[Modality.LANGUAGE].items()
        }
        clips = len(words["present"]) // processes()
        counts = (unique[:, 0] // clips).bincount(minlength=processes())
        own = unique.split(counts.tolist())[place()] - torch.tensor([place() * clips, 0], device=unique.device)
        scores = self._scores({**inputs, Modality.LANGUAGE: words}, own)
        most = int(counts.max())
        gathered = gather_over_processes(F.pad(scores, (0, most - len(scores)))).view(-1, most)
        there = torch.arange(most, device=counts.device) < counts[:, None]
        return gathered[there][where]

    def _scores(self, inputs: Inputs, pairs: Tensor) -> Tensor:
        assert self.matcher is not None
        chosen = {
            m: {name: tensor[pairs[:, 1 if m == Modality.LANGUAGE else 0]] for name, tensor in tensors.items()}
            for m, tensors in inputs.items()
        }
        scores: Tensor = self.matcher(chosen)
        return scores
