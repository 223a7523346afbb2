"""The comparison of two files of answers, against SciPy and scikit-learn on the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, f1_score

from lstta_tasks.answers.event_scores import NAMES, event_scores
from lstta_tasks.cli.main import main
from lstta_tasks.significance.compare import compare
from lstta_tasks.significance.measures import of_classes, of_labels, of_numbers
from lstta_tasks.significance.statistics import calibration_error, mcnemar, paired_bootstrap

SAMPLES = 211
CLASSES = ["cello", "flute", "drum", "bell", "voice"]


def answers(seed: int, right: float) -> list[dict[str, Any]]:
    """Of a made-up model that is right so often; the truth is the same for every seed."""
    truth = np.random.default_rng(0).choice(CLASSES, SAMPLES, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    random = np.random.default_rng(seed)
    rows = []
    for number, name in enumerate(truth.tolist()):
        said = name if random.random() < right else CLASSES[random.integers(5)]
        sure = float(random.uniform(0.2, 1))
        rows.append({"sample": f"s{number}", "truth": name, "prediction": said, "confidence": sure})
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(f"{json.dumps(r)}\n" for r in rows) if path.suffix == ".jsonl" else json.dumps({"rows": rows})
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The second is a shuffled file of lines."""
    other = answers(2, 0.75)
    np.random.default_rng(5).shuffle(other)  # type: ignore[arg-type]
    return write(tmp_path / "a.json", answers(1, 0.6)), write(tmp_path / "b.jsonl", other)


def test_it_is_what_scipy_and_scikit_learn_say(files: tuple[Path, Path]) -> None:
    found = compare(*files, resamples=4000)
    one, other = answers(1, 0.6), answers(2, 0.75)
    truth, first, second = (
        [row[key] for row in rows] for rows, key in ((one, "truth"), (one, "prediction"), (other, "prediction"))
    )
    by_name = {d.name: d for d in found.differences}
    wanted = {
        "accuracy": lambda t, s: accuracy_score(t, s),
        "macro_f1": lambda t, s: f1_score(t, s, average="macro", zero_division=0),
        "weighted_f1": lambda t, s: f1_score(t, s, average="weighted", zero_division=0),
    }
    assert set(by_name) == set(wanted)
    for name, score in wanted.items():
        assert (by_name[name].one, by_name[name].other) == pytest.approx((score(truth, first), score(truth, second)))
    hits = [np.array([t == s for t, s in zip(truth, said, strict=True)], float) for said in (first, second)]
    of_scipy = stats.bootstrap(
        hits[::-1],
        lambda b, a, axis=-1: b.mean(axis) - a.mean(axis),
        paired=True,
        vectorized=True,
        n_resamples=4000,
        method="percentile",
        random_state=np.random.default_rng(7),
    ).confidence_interval
    assert (by_name["accuracy"].low, by_name["accuracy"].high) == pytest.approx(tuple(of_scipy), abs=0.012)
    assert found.mcnemar is not None
    only = int((hits[0] * (1 - hits[1])).sum()), int((hits[1] * (1 - hits[0])).sum())
    assert (found.mcnemar.only_one, found.mcnemar.only_other) == only
    assert found.mcnemar.p == pytest.approx(stats.binomtest(only[0], sum(only), 0.5).pvalue)
    assert found.mcnemar.both + found.mcnemar.neither + sum(only) == SAMPLES == found.samples
    for value, rows, hit in zip(found.calibration, (one, other), hits, strict=True):
        sure = np.array([row["confidence"] for row in rows])
        true, predicted = calibration_curve(hit, sure, n_bins=15)
        share = np.histogram(sure, bins=15, range=(0, 1))[0] / SAMPLES
        assert value == pytest.approx(float(np.abs(true - predicted) @ share[share > 0]))


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (3, 3), (7, 19), (0, 40), (811, 907)])
def test_mcnemar_is_scipys_binomial_test(counts: tuple[int, int]) -> None:
    wanted = stats.binomtest(counts[0], sum(counts), 0.5).pvalue if sum(counts) else 1.0
    assert mcnemar(*counts) == pytest.approx(wanted)


def test_measures_of_a_draw_are_scikit_learns_of_its_samples() -> None:
    random = np.random.default_rng(4)
    truth, said = ([CLASSES[i] for i in random.integers(0, 5, 13)] for _ in range(2))
    places = random.integers(13, size=(17, 13))
    found = of_classes(truth, said, CLASSES)(places)
    for row, drawn in enumerate(places.tolist()):
        t, s = [truth[i] for i in drawn], [said[i] for i in drawn]
        assert found["accuracy"][row] == pytest.approx(accuracy_score(t, s))
        assert found["macro_f1"][row] == pytest.approx(f1_score(t, s, average="macro", zero_division=0))
        assert found["weighted_f1"][row] == pytest.approx(f1_score(t, s, average="weighted", zero_division=0))
    numbers = random.normal(size=(2, 13))
    of_draws = of_numbers(*numbers.tolist())(places)
    labels = of_labels([[name] for name in truth], [[name, "cello"] for name in said])(places)
    for row, drawn in enumerate(places.tolist()):
        a, b = numbers[:, drawn]
        assert of_draws["mae"][row] == pytest.approx(np.abs(a - b).mean())
        assert of_draws["corr"][row] == pytest.approx(stats.pearsonr(a, b).statistic)
        hit = sum(truth[i] in (said[i], "cello") for i in drawn)
        total = sum(1 + len({said[i], "cello"}) for i in drawn)
        assert labels["F1"][row] == pytest.approx(2 * hit / total)


def test_models_that_are_alike_do_not_differ(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.json", answers(1, 0.6)), write(tmp_path / "b.json", answers(1, 0.6))
    found = compare(a, b, resamples=50)
    assert all(d.low == d.high == 0 and d.p == 1 for d in found.differences)
    assert found.mcnemar is not None
    assert found.mcnemar.p == 1


def test_p_is_evenly_spread_where_nothing_differs() -> None:
    """So it is below .1 in about a tenth of the trials."""
    random, below = np.random.default_rng(11), 0
    for trial in range(100):
        hits = random.integers(0, 2, (2, 97)).astype(str)
        first, second = (of_classes(["1"] * 97, list(hit), ["0", "1"]) for hit in hits)
        found = {d.name: d for d in paired_bootstrap(first, second, 97, resamples=200, seed=trial)}
        below += found["accuracy"].p < 0.1
    assert 2 <= below <= 22


def test_confidence_on_the_edges_of_bins() -> None:
    assert calibration_error([0.0, 1.0], [False, True]) == 0
    assert calibration_error([0.5, 0.5], [True, False], bins=2) == 0
    assert calibration_error([1.0] * 4, [True, False, False, False]) == 0.75


def without(rows: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    return rows[:place] + rows[place + 1 :]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: without(rows, 3), "do not pair up: 1 of 211 samples are in .*a.json alone, such as 's3'"),
        (lambda rows: [*rows, {**rows[0], "sample": "x"}], "1 of 212 samples are in .*b.json alone, such as 'x'"),
        (lambda rows: [{**rows[0], "truth": "harp"}, *rows[1:]], "do not pair up: sample 's0' is .* and 'harp' in "),
        (lambda rows: [*rows, rows[5]], "b.json: two answers are of sample 's5'; one of each is wanted"),
        (lambda rows: [{**rows[0], "prediction": 3}, *rows[1:]], "answers are a class and a number"),
        (lambda rows: [{**rows[0], "prediction": {"top": []}}, *rows[1:]], "b.json: sample 's0' has the answer"),
        (lambda rows: [{"sample": "s0", "truth": "a"}, *rows[1:]], "b.json: answer 1 lacks 'prediction'; lstta test"),
        (lambda rows: [], "b.json: there are no answers in it; lstta test"),
    ],
)
def test_files_that_do_not_pair_up_are_refused_by_name(
    change: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = write(tmp_path / "a.json", answers(1, 0.6))
    b = write(tmp_path / "b.json", change(answers(2, 0.6)))
    with pytest.raises(ValueError, match=said):
        compare(a, b, resamples=10)
    with pytest.raises(SystemExit, match="2"):
        main(["significance", str(a), str(b), "--resamples", "10"])
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_command_prints_and_writes(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    result = files[0].with_name("found.json")
    assert main(["significance", *map(str, files), "--resamples", "100", "--json", str(result)]) == 0
    printed = capsys.readouterr().out
    assert "weighted_f1" in printed
    assert "McNemar: A alone is right on" in printed
    content = json.loads(result.read_text(encoding="utf-8"))
    assert content["samples"] == SAMPLES
    assert [d["name"] for d in content["differences"]] == ["accuracy", "macro_f1", "weighted_f1"]


def test_numbers_have_no_mcnemar(tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    files = []
    for name in ("a.jsonl", "b.jsonl"):
        rows = [{"sample": str(i), "truth": i / 7, "prediction": i / 7 + random.normal()} for i in range(31)]
        files.append(write(tmp_path / name, rows))
    found = compare(files[0], files[1], resamples=100)
    assert [d.name for d in found.differences] == ["mae", "corr"]
    assert found.mcnemar is None


def of_segments(seed: int) -> list[dict[str, Any]]:
    """A class for each of seven segments, one of which has none; the truth is the same for every seed."""
    truth = np.random.default_rng(0).choice(CLASSES, (SAMPLES, 7)).tolist()
    random = np.random.default_rng(seed)
    rows = []
    for number, names in enumerate(truth):
        wanted: list[str | None] = [*names[:6], None]
        said = [name if random.random() < 0.6 else "flute" for name in names]
        given = [None if number % 5 == 0 and place == 2 else name for place, name in enumerate(said)]
        rows.append({"sample": f"s{number}", "truth": {"segments": wanted}, "prediction": {"segments": given}})
    return rows


def of_events(seed: int) -> list[dict[str, Any]]:
    def drawn(random: np.random.Generator) -> dict[str, Any]:
        spans = [
            [str(name), int(start), int(start) + int(random.integers(1, 4))]
            for name, start in zip(random.choice(CLASSES, 3, replace=False), random.integers(0, 7, 3), strict=True)
        ]
        return {"audio": spans[:2], "visual": spans[1:]}

    first, own = np.random.default_rng(0), np.random.default_rng(seed)
    return [{"sample": f"s{i}", "truth": drawn(first), "prediction": drawn(own)} for i in range(SAMPLES)]


def test_of_segments(tmp_path: Path) -> None:
    """Accuracy over the segments that count, and a bootstrap that draws clips."""
    rows = [of_segments(1), of_segments(2)]
    found = compare(*(write(tmp_path / f"{i}.json", some) for i, some in enumerate(rows)), resamples=300)
    (difference,) = found.differences
    pairs = [
        [(t, s) for row in some for t, s in zip(row["truth"]["segments"], row["prediction"]["segments"], strict=True)]
        for some in rows
    ]
    wanted = [accuracy_score(*zip(*[p for p in some if None not in p], strict=True)) for some in pairs]
    assert (difference.name, difference.one, difference.other) == ("accuracy", *map(pytest.approx, wanted))
    assert difference.low <= difference.other - difference.one <= difference.high
    assert found.samples == SAMPLES


def test_of_events(tmp_path: Path) -> None:
    """What is right has all of the scores; and the scores are those of the files' matrices."""
    rows = of_events(1)
    right = [{**row, "prediction": row["truth"]} for row in rows]
    found = compare(write(tmp_path / "a.json", rows), write(tmp_path / "b.json", right), resamples=100)
    assert [d.name for d in found.differences] == list(NAMES)
    assert all(d.other == 1 for d in found.differences)
    masks = np.zeros((2, SAMPLES, 2, len(CLASSES), 10), np.bool_)
    for which, key in enumerate(("prediction", "truth")):
        for place, row in enumerate(rows):
            for side, name in enumerate(("audio", "visual")):
                for label, start, end in row[key][name]:
                    masks[which, place, side, CLASSES.index(label), start:end] = True
    assert [d.one for d in found.differences] == pytest.approx(event_scores(*masks).mean(0).tolist())


@pytest.mark.parametrize(
    "said", [{"segments": ["flute"]}, {"segments": "flute"}, {"audio": []}, {"audio": [["x", 1]], "visual": []}, {}]
)
def test_answers_for_segments_that_are_none_are_refused(said: dict[str, Any], tmp_path: Path) -> None:
    rows = [{"sample": "s", "truth": {"segments": ["flute", "bell"]}, "prediction": said}]
    path = write(tmp_path / "a.json", rows)
    with pytest.raises(ValueError, match="sample 's' has the answer"):
        compare(path, path)
