"""Sound of wanted spans as 16-bit mono at a wanted rate, exact in time."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame, format_dtypes
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from av.packet import Packet
from numpy.typing import NDArray

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.sound_headers import is_tag
from lstta_tasks.data.tracks import Packets, Track, reasons, seconds

# Codecs overlap their packets: decoding starts this much before what is wanted (Opus asks for 80 ms, MP3 for more).
_PRE_ROLL = 0.4
# Up to this many seconds ahead, packets are read and thrown away; beyond it the file is asked to jump.
_READ_AHEAD = 10.0
# Timestamps rounded to milliseconds must not tear neighbouring frames apart; a jump of more is a gap.
_JITTER = 0.005
# Once the rate has changed, only a jump of more than this is one.
_GAP = 0.25
# Beyond the reach of the resampling filter: in seconds, and in samples of a low rate, with which it grows.
_MARGIN = 0.05
_TAPS = 32
# In Hz; a header that claims anything else is damaged, and would have us fill gigabytes with silence.
_RATES = range(1_000, 1_000_001)
# From this many channels on, PyAV 18 reads past the end of a planar frame's list of planes.
_UNSAFE_PLANES = 8


class SoundReader:
    """Reads spans of one sound track. Sample k of its output is heard at ``start + k / rate``.

    Where the sound changes its channels or its rate, each stretch is brought to the output's form by itself.

    Args:
        track: the stream.
        start: where sample 0 is, in seconds of the file's clock.
        rate: of the output, in Hz.
    """

    def __init__(self, track: Track, start: float, rate: int) -> None:
        self._packets = Packets(track)
        self._path = track.path
        self._start = start
        self._rate = rate
        self._margin = max(_MARGIN, _TAPS / rate)
        self._run_up = _PRE_ROLL + _padding(self._packets)
        self._stretches: deque[_Stretch] = deque()
        self._expected: int | None = None  # the native sample that should come next
        self._may_skip = track.is_steady
        self._may_jump = self._may_skip
        self._has_jumped = False
        self._is_counted = False  # whether the rate has changed, so that times within a container's packet are guesses
        self._ended = False

    def close(self) -> None:
        """Close the file."""
        self._packets.__exit__(None, None, None)

    def read(self, first: int, count: int) -> tuple[NDArray[np.int16], int]:
        """Samples ``first`` to ``first + count``, and how many of them lie before the sound's end.

        Silence stands where the track has nothing yet, or a gap. Spans must not go back from call to call.

        Raises:
            DecodeError: the sound there is damaged.
        """
        begin = self._start + first / self._rate
        end = self._start + (first + count) / self._rate
        self._fill(begin - self._margin, end + self._margin)
        samples = np.zeros(count, np.int16)
        valid = 0
        for number, stretch in enumerate(self._stretches):
            heard = self._heard(stretch, first, count)
            begin_at = 0
            if number:  # it takes over where it begins
                begin_at = max(0, math.ceil(stretch.begin * self._rate / stretch.rate) - first)
            samples[begin_at : len(heard)] = heard[begin_at:]
            valid = max(valid, len(heard))
        while len(self._stretches) > 1 and not self._stretches[0].chunks:
            self._stretches.popleft()
        return samples, valid

    def _heard(self, stretch: _Stretch, first: int, count: int) -> NDArray[np.int16]:
        """Samples from ``first`` on, at most ``count`` and no more than there are."""
        native = stretch.rate
        # A block of native samples and one of output samples last equally long: spans cut on blocks resample alike.
        block = native // math.gcd(native, self._rate)
        low = math.floor((first / self._rate - self._margin) * native / block) * block
        high = math.ceil(((first + count) / self._rate + self._margin) * native)
        wide, last = stretch.join(low, high)
        valid = min(count, math.floor(last * self._rate / native) - first)
        if valid <= 0:
            return np.zeros(0, np.int16)
        return self._resample(stretch, wide)[first - low * self._rate // native :][:valid]

    def _resample(self, stretch: _Stretch, wide: NDArray[Any]) -> NDArray[np.int16]:
        template = stretch.template
        frame = AudioFrame.from_ndarray(wide.reshape(1, -1), template.format.packed, template.layout)
        frame.sample_rate = template.sample_rate
        frame.pts = 0
        resampler = AudioResampler(format="s16", layout="mono", rate=self._rate)
        parts = [*resampler.resample(frame), *resampler.resample(None)]
        return np.concatenate([part.to_ndarray()[0] for part in parts if part is not None])

    def _fill(self, begin: float, end: float) -> None:
        """Decode until ``end``, and at least from ``begin`` on."""
        packets = self._packets
        landing = False
        if self._may_jump and begin - packets.position > _READ_AHEAD:
            landing = packets.jump(begin - self._run_up)
            if not landing and not packets.track.breaks:
                packets.restart()
            self._may_jump = self._has_jumped = landing
            self._break()
        while not self._ended and self._heard_until() < end:
            packet = packets.next()
            if packet is None:
                self._decode(None, begin)
                self._ended = True
                return
            shown = packets.shown_at(packet)
            if landing and shown > begin - self._margin:
                packets.restart()  # the jump went too far: read on from the start instead, and jump no more
                self._may_jump = False
            elif self._may_skip and shown + seconds(packet.duration or 0, packet) < begin - self._run_up:
                self._break()
            else:
                self._decode(packet, begin)
            landing = False

    def _break(self) -> None:
        """What is decoded next does not follow what was decoded before."""
        if self._expected is not None:
            self._packets.stream.codec_context.flush_buffers()
            self._expected = None

    def _heard_until(self) -> float:
        if not self._stretches or self._expected is None:
            return -math.inf
        return self._start + self._expected / self._stretches[-1].rate

    def _decode(self, packet: Packet[Any] | None, begin: float) -> None:
        shown = self._packets.position if packet is None else self._packets.shown_at(packet)
        try:
            frames = self._packets.decode(packet)
        except FFmpegError as error:
            if packet is not None and is_tag(bytes(packet)):
                return
            if shown < begin:  # only the run-up
                return
            if self._has_jumped:  # into the middle of a packet, perhaps
                self._has_jumped = self._may_jump = False
                self._packets.restart()
                self._stretches.clear()
                self._expected = None
                return
            raise DecodeError(f"{self._path}: the sound at {shown:.2f} s is damaged: {error.strerror}") from error
        for frame in frames:
            self._append(frame, shown)

    def _append(self, frame: AudioFrame, shown: float) -> None:
        if frame.sample_rate not in _RATES:
            raise DecodeError(f"{self._path}: its sound claims to have {frame.sample_rate:,} samples a second")
        time = shown if frame.pts is None else seconds(frame.pts, frame)
        at = round((time - self._start) * frame.sample_rate)
        if not self._stretches or _format(frame) != _format(self._stretches[-1].template):
            if self._stretches and self._expected is not None:
                self._is_counted = self._is_counted or frame.sample_rate != self._stretches[-1].rate
                self._expected = round(self._expected * frame.sample_rate / self._stretches[-1].rate)
            self._stretches.append(_Stretch(frame, at))
        if self._expected is not None:
            ahead = (at - self._expected) / frame.sample_rate
            if abs(ahead) < _JITTER or (self._is_counted and ahead < _GAP):
                at = self._expected
        if not self._stretches[-1].chunks:
            self._stretches[-1].begin = at
        self._stretches[-1].chunks.append((at, _samples(frame)))
        self._expected = at + frame.samples


class _Stretch:
    """Sound of one format. Times are in its own samples from the reader's start on.

    Args:
        template: a frame of its format.
        begin: where it begins.
    """

    def __init__(self, template: AudioFrame, begin: int) -> None:
        self.template = template
        self.begin = begin
        self.chunks: deque[tuple[int, NDArray[Any]]] = deque()  # (first sample, (samples, channels))

    @property
    def rate(self) -> int:
        """Of its samples, in Hz."""
        return self.template.sample_rate

    def join(self, low: int, high: int) -> tuple[NDArray[Any], int]:
        """Samples ``low`` to ``high`` with silence in the gaps, and where the last real one of them ends.

        What ends before ``low`` is forgotten.
        """
        while self.chunks and self.chunks[0][0] + len(self.chunks[0][1]) <= low:
            self.chunks.popleft()
        dtype = np.dtype(format_dtypes[self.template.format.name])
        if not self.chunks:
            return np.zeros((0, self.template.layout.nb_channels), dtype), low
        silence = 128 if dtype == np.uint8 else 0
        wide = np.full((high - low, self.template.layout.nb_channels), silence, dtype)
        last = low
        for at, chunk in self.chunks:
            begin, end = max(at, low), min(at + len(chunk), high)
            if begin < end:
                wide[begin - low : end - low] = chunk[begin - at : end - at]
                last = max(last, end)
        return wide, last


def first_sample_at(track: Track) -> float:
    """When the first sample of a track is heard, in seconds of the file's clock, encoder delay taken off.

    Raises:
        DecodeError: nothing can be decoded.
    """
    with reasons(track.path), Packets(track) as packets:
        while (packet := packets.next()) is not None:
            shown = packets.shown_at(packet)
            for frame in packets.decode(packet):
                return shown if frame.pts is None else seconds(frame.pts, frame)
    raise DecodeError(f"{track.path}: a header without any sound after it")


def _padding(packets: Packets) -> float:
    """How much of its first sound the decoder throws away, in seconds; from FFmpeg 9 on wherever that begins."""
    context = packets.stream.codec_context
    return context.delay / context.sample_rate if context.sample_rate in _RATES else 0.0


def _samples(frame: AudioFrame) -> NDArray[Any]:
    """(samples, channels), in the frame's own number format."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels >= _UNSAFE_PLANES:
        (frame,) = AudioResampler(format=frame.format.packed).resample(frame)
    samples = frame.to_ndarray()
    return samples.T if frame.format.is_planar else samples.reshape(-1, channels)


def _format(frame: AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.format.name, frame.layout.name
