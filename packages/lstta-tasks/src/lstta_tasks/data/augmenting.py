"""Training samples changed as :class:`~lstta_tasks.data.augment.Augment` says, in the loader's workers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray
from torch.utils.data import Dataset

from lstta_core.interfaces import Modality
from lstta_tasks.data.augment import Augment
from lstta_tasks.data.batch import SampleDataset
from lstta_tasks.data.clip import Clip
from lstta_tasks.data.lacking import lacking
from lstta_tasks.task import Sample, TimedText

Place = tuple[int, int, int]
"""Of a sample in the data set, the epoch's number, and how often the epoch has had the sample before."""
CROP, FLIP, COLOUR, SHIFT, TIME, FREQUENCY, DROP = range(7)
"""Streams of random numbers: what one transform draws does not depend on which others there are."""
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def places(order: Iterator[int], epoch: int) -> Iterator[Place]:
    """A sampler's places with what a sample's changes are drawn from."""
    had: Counter[int] = Counter()
    for place in order:
        yield place, epoch, had[place]
        had[place] += 1


@dataclass(frozen=True)
class Augmented(Dataset[tuple[Sample, Clip]]):
    """The samples of a training, changed; the clips' arrays are changed in place.

    Attributes:
        dataset: of the samples.
        augment: what is changed.
        seed: of the config.
        sample_rate: of the sound, in Hz.
    """

    dataset: SampleDataset
    augment: Augment
    seed: int
    sample_rate: int

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, wanted: Sequence[Place]) -> list[tuple[Sample, Clip]]:
        items = self.dataset.__getitems__([place for place, _, _ in wanted])
        return [self._changed(*item, epoch, turn) for item, (_, epoch, turn) in zip(items, wanted, strict=True)]

    def _changed(self, sample: Sample, clip: Clip, epoch: int, turn: int) -> tuple[Sample, Clip]:
        digest = hashlib.blake2b(sample.id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        words = [self.seed, epoch, turn, *np.frombuffer(digest, "<u4").tolist()]

        def stream(number: int) -> Generator:
            return np.random.default_rng(SeedSequence(words, spawn_key=(number,)))

        wanted = self.augment
        if clip.has_video:
            if wanted.crop < 1:
                crop(clip.frames, wanted.crop, stream(CROP))
            if wanted.flip and stream(FLIP).random() < wanted.flip:
                clip.frames[:] = clip.frames[..., ::-1, :].copy()
            if wanted.colour:
                recolour(clip.frames, wanted.colour, stream(COLOUR))
        if wanted.time_shift:
            by = int(stream(SHIFT).integers(-wanted.time_shift, wanted.time_shift, endpoint=True))
            sample, clip = shift(sample, clip, by)
        if clip.has_sound and wanted.frequency_masks:
            band_stop(clip, wanted.frequency_masks, wanted.frequency_mask, self.sample_rate, stream(FREQUENCY))
        if clip.has_sound and wanted.time_masks:
            silence(clip, wanted.time_masks, wanted.time_mask, stream(TIME))
        for m in dropped(sample, clip, wanted, stream(DROP)) if wanted.drop else ():
            sample, clip = lacking(sample, clip, m)
        return sample, clip


def crop(frames: NDArray[np.uint8], least: float, random: Generator) -> None:
    """One cut of all pictures (T, F, H, W, 3), at least so large a part of their sides, enlarged to their size."""
    high, wide = frames.shape[2:4]
    part, down, right = random.uniform(least, 1), random.random(), random.random()
    h, w = max(1, round(high * part)), max(1, round(wide * part))
    top, left = int(down * (high - h + 1)), int(right * (wide - w + 1))
    for frame in frames.reshape(-1, high, wide, 3):
        cut = np.ascontiguousarray(frame[top : top + h, left : left + w])
        frame[:] = cv2.resize(cut, (wide, high), interpolation=cv2.INTER_LINEAR)


def recolour(frames: NDArray[np.uint8], most: float, random: Generator) -> None:
    """Brightness, contrast and saturation of all pictures times a factor each."""
    bright, contrast, colour = random.uniform(1 - most, 1 + most, 3).astype(np.float32)
    values = frames * bright
    mean = (values @ GREY).mean()
    values = mean + (values - mean) * contrast
    grey = (values @ GREY)[..., None]
    values = grey + (values - grey) * colour
    frames[:] = np.clip(np.rint(values), 0, 255).astype(np.uint8)


def shift(sample: Sample, clip: Clip, by: int) -> tuple[Sample, Clip]:
    """All of a clip later by so many segments, or earlier; at most one segment less than there are."""
    segments = len(clip.frames)
    by = max(1 - segments, min(segments - 1, by))
    if by == 0:
        return sample, clip
    stays, goes = (slice(by, None), slice(None, -by)) if by > 0 else (slice(None, by), slice(-by, None))
    free = slice(None, by) if by > 0 else slice(by, None)
    edge = clip.frames[0 if by > 0 else -1].copy()
    for values in (clip.frames, clip.sound, clip.sound_length):
        values[stays] = values[goes].copy()
    clip.frames[free], clip.sound[free], clip.sound_length[free] = edge, 0, 0
    later = clip.duration * by / segments
    timed = [TimedText(t.start + later, t.end + later, t.text) for t in sample.timed]
    inside = tuple(t for t in timed if t.start < clip.duration and t.end > 0)
    return replace(sample, timed=inside), replace(clip, has_sound=bool((clip.sound_length > 0).any()))


def silence(clip: Clip, masks: int, longest: float, random: Generator) -> None:
    """So many stretches of the clip's sound, (T, n), silenced."""
    segments, samples = clip.sound.shape
    for _ in range(masks):
        long = random.uniform(0, longest) * segments
        start = random.uniform(0, segments - long)
        for segment in range(int(start), min(segments, int(start + long) + 1)):
            begin, end = (round(min(1.0, max(0.0, t - segment)) * samples) for t in (start, start + long))
            clip.sound[segment, begin:end] = 0


def band_stop(clip: Clip, masks: int, widest: float, rate: int, random: Generator) -> None:
    """So many bands taken out of the clip's sound. They are evenly drawn on the mel scale."""
    samples = clip.sound.shape[1]
    spectrum, hertz = np.fft.rfft(clip.sound.astype(np.float32)), np.fft.rfftfreq(samples, 1 / rate)
    mel = np.log1p(hertz / 700) / np.log1p(rate / 2 / 700)
    for _ in range(masks):
        wide = random.uniform(0, widest)
        low = random.uniform(0, 1 - wide)
        spectrum[:, (mel >= low) & (mel < low + wide)] = 0
    info = np.iinfo(np.int16)
    clip.sound[:] = np.clip(np.rint(np.fft.irfft(spectrum, samples)), info.min, info.max).astype(np.int16)
    clip.sound[np.arange(samples) >= clip.sound_length[:, None]] = 0


def dropped(sample: Sample, clip: Clip, wanted: Augment, random: Generator) -> list[Modality]:
    """The modalities that the sample is to be without; one that it has stays, drawn evenly."""
    drawn = dict(zip(Modality, random.random(3).tolist(), strict=True))
    has = {Modality.VISUAL: clip.has_video, Modality.AUDIO: clip.has_sound}
    has[Modality.LANGUAGE] = sample.text is not None or bool(sample.timed)
    there = [m for m in Modality if has[m]]
    gone = [m for m in there if drawn[m] < wanted.drop.get(m, 0)]
    stays = int(random.integers(max(1, len(there))))
    return [m for m in gone if m is not there[stays]] if len(gone) == len(there) else gone
