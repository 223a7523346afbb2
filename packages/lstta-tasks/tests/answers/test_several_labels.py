"""Several labels at once: the loss against a loop, F1 against scikit-learn's, and what is said of a sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from lstta_tasks.answers.several_labels import NONE, SeveralLabels
from lstta_tasks.data.batch import Collate
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.sample import Sample

SOURCE = ClipSource("v", Path("v.mp4"))


def test_the_loss_is_that_of_a_loop_with_gradients() -> None:
    kind = SeveralLabels("abc")
    output = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]])
    terms = []
    for logits, row in zip(output, target.tolist(), strict=True):
        for logit, fits in zip(logits, row, strict=True):
            p = torch.sigmoid(logit)
            terms.append(-(p if fits else 1 - p).log())
    naive = torch.stack(terms).mean()
    torch.testing.assert_close(kind.loss(output, target), naive)
    torch.testing.assert_close(*(torch.autograd.grad(x, output)[0] for x in (kind.loss(output, target), naive)))


@pytest.mark.parametrize("seed", range(3))
def test_f1_is_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    kind = SeveralLabels("abc", field="tags")
    truth = (random.random((31, 3)) < 0.4).astype(int)
    samples = [Sample(str(i), SOURCE, None, tuple(row)) for i, row in enumerate(truth.tolist())]
    output = torch.from_numpy(random.standard_normal((31, 3)))
    predictions = dict(zip((s.id for s in samples), kind.predict(output), strict=True))
    (score,) = kind.report(predictions, samples).scores
    found = (output > 0).int().numpy()
    assert score.value == pytest.approx(f1_score(truth, found, average="micro"))
    assert score.baseline == pytest.approx(f1_score(truth, np.ones_like(found), average="micro"))


def test_what_is_said() -> None:
    both, none = SeveralLabels(["loud", "odd"]).describe(torch.tensor([[1.0, 2.0], [-1.0, -0.5]]))
    assert both.text == "loud, odd"
    assert list(both.choices) == ["odd", "loud"]
    assert both.choices["loud"] == pytest.approx(torch.tensor(1.0).sigmoid().item())
    assert (none.text, next(iter(none.choices))) == (NONE, "odd")


def test_rows_of_numbers_make_a_batch() -> None:
    clip = Clip(
        frames=np.zeros((2, 1, 4, 4, 3), np.uint8),
        frame_times=np.zeros((2, 1)),
        sound=np.zeros((2, 5), np.int16),
        sound_length=np.zeros(2, np.int64),
        has_video=False,
        has_sound=False,
        duration=1.0,
    )
    items = [(Sample(str(i), SOURCE, None, row), clip) for i, row in enumerate([(1, 0, 1), (0, 0, 0)])]
    assert torch.equal(Collate({})(items)["target"], torch.tensor([[1, 0, 1], [0, 0, 0]]))
