"""A decoded clip holds what is on the screen and what is heard at its times, whatever the file is like."""

from __future__ import annotations

import os
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seen_and_heard import CLICKS, FLASH, SETTINGS, assert_pictures_are_of_their_times, flash_time, heard, settings

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.decode import decode_clip


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.webm", "a.ts"])
def test_flash_and_click_are_found_in_every_container(name: str, media: Any, tmp_path: Path) -> None:
    made = media(flashes=[FLASH], clicks=CLICKS)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / name)), SETTINGS)
    assert clip.has_video
    assert clip.has_sound
    assert clip.duration == pytest.approx(3.0, abs=0.05)
    assert flash_time(clip) == pytest.approx(FLASH, abs=1 / made.fps)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)
    assert_pictures_are_of_their_times(clip, made)
    assert clip.sound_length.tolist() == pytest.approx([16_000] * 3, abs=800)


def test_avi_which_has_no_presentation_times(media: Any, tmp_path: Path) -> None:
    # Not MP3: in AVI it cannot say how much its encoder delays the sound.
    made = media(flashes=[FLASH], clicks=CLICKS, sound="pcm_s16le")
    clip = decode_clip(ClipSource("a", made.write(tmp_path / "a.avi")), SETTINGS)
    assert flash_time(clip) == pytest.approx(FLASH, abs=1.01 / made.fps)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


@pytest.mark.parametrize(
    ("rate", "wanted"),
    [(8_000, 16_000), (11_025, 16_000), (22_050, 44_100), (44_100, 8_000), (44_100, 48_000), (96_000, 16_000)],
)
def test_flash_and_click_are_found_at_every_rate(rate: int, wanted: int, media: Any, tmp_path: Path) -> None:
    made = media(flashes=[FLASH], clicks=CLICKS, rate=rate)
    preprocessing = settings(sample_rate=wanted)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / "a.mp4")), preprocessing)
    assert flash_time(clip) == pytest.approx(FLASH, abs=1 / made.fps)
    assert heard(clip, preprocessing) == pytest.approx(CLICKS, abs=0.005)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.m4a", "a.ogg"])
def test_sound_alone(name: str, media: Any, tmp_path: Path) -> None:
    clip = decode_clip(ClipSource("a", sound=media(clicks=CLICKS).write(tmp_path / name)), SETTINGS)
    assert (clip.has_video, clip.has_sound) == (False, True)
    assert not clip.frames.any()
    assert clip.duration == pytest.approx(3.0, abs=0.01)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


def test_sound_that_is_as_wanted_already_comes_through_bit_by_bit(media: Any, tmp_path: Path) -> None:
    path = media(clicks=CLICKS, rate=16_000).write(tmp_path / "a.wav")
    clip = decode_clip(ClipSource("a", sound=path), SETTINGS)
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_array_equal(clip.sound.reshape(-1), samples)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.m4a"])
@pytest.mark.parametrize("offset", [0.0, 2.5])
def test_sound_file_beside_a_silent_video_starts_with_its_first_picture(
    name: str, offset: float, media: Any, tmp_path: Path
) -> None:
    video = media(flashes=[FLASH], sound="", offset=offset).write(tmp_path / "v.mkv")
    sound = media(clicks=CLICKS).write(tmp_path / name)
    clip = decode_clip(ClipSource("a", video, sound), SETTINGS)
    assert flash_time(clip) == pytest.approx(FLASH, abs=0.04)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


def test_the_sound_file_wins_over_the_sound_in_the_video(media: Any, tmp_path: Path) -> None:
    video = media(clicks=[0.2, 1.2, 2.2]).write(tmp_path / "v.mp4")
    clip = decode_clip(ClipSource("a", video, media(clicks=CLICKS).write(tmp_path / "s.wav")), SETTINGS)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_variable_frame_rate(name: str, media: Any, tmp_path: Path) -> None:
    times = [*np.arange(0, 1, 1 / 20), *np.arange(1, 2, 1 / 3), *np.arange(2, 3, 1 / 13)]
    made = media(times=times, clicks=CLICKS)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / name)), SETTINGS)
    assert_pictures_are_of_their_times(clip, made)
    asked = (np.arange(75) + 0.5) / 75 * clip.duration
    for moment, taken in zip(asked, clip.frame_times.reshape(-1), strict=True):
        assert taken <= moment + 2e-3
        assert not [t for t in times if taken + 2e-3 < t < moment - 2e-3]
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


@pytest.mark.parametrize(("name", "offset"), [("a.mkv", 7.5), ("a.ts", 7.5), ("a.mp4", 7.5), ("a.mov", -0.3)])
def test_timestamps_that_do_not_start_at_zero(name: str, offset: float, media: Any, tmp_path: Path) -> None:
    options = {"avoid_negative_ts": "disabled"}
    made = media(flashes=[FLASH], clicks=CLICKS, offset=offset, options=options)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / name)), SETTINGS)
    # A negative start is cut off by an edit list: the clip then begins that much later.
    lost = min(offset, 0.0)
    assert flash_time(clip) == pytest.approx(FLASH + lost, abs=0.04)
    assert heard(clip, SETTINGS)[1] == pytest.approx(CLICKS[1] + lost, abs=0.01)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_pictures_that_start_after_the_sound_start_the_clip(name: str, media: Any, tmp_path: Path) -> None:
    made = media(flashes=[FLASH], clicks=[c + 0.5 for c in CLICKS], video_offset=0.5, sound_seconds=4.0)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / name)), SETTINGS)
    assert flash_time(clip) == pytest.approx(FLASH, abs=0.04)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


@pytest.mark.parametrize("layout", ["stereo", "5.1", "7.1"])
@pytest.mark.parametrize("channel", [0, 2])
def test_any_number_of_channels_becomes_one(layout: str, channel: int, media: Any, tmp_path: Path) -> None:
    if layout == "stereo" and channel == 2:
        pytest.skip("stereo has two channels")
    made = media(clicks=CLICKS, layout=layout, click_channel=channel)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / "a.mkv")), SETTINGS)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)
    assert np.abs(clip.sound.astype(int)).max() > 1500


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.flac"])
def test_six_channels_in_every_codec(name: str, media: Any, tmp_path: Path) -> None:
    made = media(flashes=[FLASH], clicks=CLICKS, layout="5.1", click_channel=1)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / name)), SETTINGS)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)
    assert not clip.has_video or flash_time(clip) == pytest.approx(FLASH, abs=0.04)


def test_video_shorter_than_its_segments_repeats_the_nearest_picture(media: Any, tmp_path: Path) -> None:
    made = media(seconds=0.2, fps=10, gop=1, clicks=[0.05])
    clip = decode_clip(ClipSource("a", made.write(tmp_path / "a.mp4")), settings(segments=7, frames_per_segment=2))
    assert set(clip.frame_times.reshape(-1).round(3)) == {0.0, 0.1}
    assert_pictures_are_of_their_times(clip, made)
    assert clip.sound_length.tolist() == pytest.approx([16_000 * 0.2 / 7] * 7, abs=1)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.webm", "a.ts", "a.avi"])
@pytest.mark.parametrize("sound", [None, ""])
def test_a_video_of_one_picture_shows_it_everywhere(name: str, sound: str | None, media: Any, tmp_path: Path) -> None:
    path = media(seconds=0.04, times=[0.0], sound=sound, sound_seconds=0.5, clicks=[0.02]).write(tmp_path / name)
    clip = decode_clip(ClipSource("a", path), settings(frames_per_segment=2))
    assert clip.has_video
    assert not clip.frame_times.any()
    np.testing.assert_allclose(clip.frames.astype(int), 40, atol=3)
    assert clip.duration > 0
    assert clip.has_sound == (sound is None)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_sound_a_little_longer_than_the_video_is_cut_with_it(name: str, media: Any, tmp_path: Path) -> None:
    path = media(clicks=CLICKS, sound_seconds=3.8).write(tmp_path / name)
    clip = decode_clip(ClipSource("a", path), SETTINGS)
    assert clip.duration == pytest.approx(3.0, abs=0.01)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
@pytest.mark.parametrize("pictures", [0.04, 3.0])
def test_under_sound_that_goes_on_for_long_the_last_picture_stays(
    name: str, pictures: float, media: Any, tmp_path: Path
) -> None:
    made = media(
        seconds=pictures, clicks=[0.4, 2.3, 5.7], sound="pcm_s16le" if name == "a.avi" else None, sound_seconds=6.0
    )
    path = made.write(tmp_path / name)
    for end in (None, 6.0, 30.0):
        clip = decode_clip(ClipSource("a", path, end=end), SETTINGS)
        assert clip.duration == pytest.approx(6.0, abs=0.15)
        assert heard(clip, settings(sound_seconds=1.0)) == pytest.approx(heard(clip, SETTINGS), abs=0.01)
        assert clip.sound_length.tolist() == pytest.approx([16_000] * 3, abs=2_400)
        assert clip.frame_times.max() == pytest.approx(pictures - 0.04, abs=0.09)
        np.testing.assert_array_equal(clip.frames[2, 0], clip.frames[2, -1])
    part = decode_clip(ClipSource("a", path, start=4.5, end=5.5), SETTINGS)
    np.testing.assert_array_equal(part.frames[0, 0], clip.frames[2, 0])


def test_sound_shorter_than_the_video_says_so(media: Any, tmp_path: Path) -> None:
    path = media(clicks=[0.4], sound_seconds=1.25).write(tmp_path / "a.mkv")
    clip = decode_clip(ClipSource("a", path), SETTINGS)
    assert clip.has_sound
    assert clip.sound_length.tolist() == pytest.approx([16_000, 4_000, 0], abs=400)
    assert not clip.sound[2].any()


def test_sound_that_ends_before_the_clip_begins_is_no_sound(media: Any, tmp_path: Path) -> None:
    path = media(clicks=[0.4], sound_seconds=1.0).write(tmp_path / "a.mkv")
    clip = decode_clip(ClipSource("a", path, start=2.0), SETTINGS)
    assert not clip.has_sound


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_no_sound_is_said_and_not_silence(name: str, media: Any, tmp_path: Path) -> None:
    clip = decode_clip(ClipSource("a", media(sound="").write(tmp_path / name)), SETTINGS)
    assert (clip.has_video, clip.has_sound) == (True, False)
    assert clip.sound.shape == (3, 16_000)
    assert not clip.sound_length.any()


def test_silence_is_sound(media: Any, tmp_path: Path) -> None:
    clip = decode_clip(ClipSource("a", media().write(tmp_path / "a.mp4")), SETTINGS)
    assert clip.has_sound
    assert not clip.sound.any()


def test_a_video_file_with_sound_alone_has_no_video(media: Any, tmp_path: Path) -> None:
    clip = decode_clip(ClipSource("a", media(video="", clicks=CLICKS).write(tmp_path / "a.mp4")), SETTINGS)
    assert (clip.has_video, clip.has_sound) == (False, True)
    assert heard(clip, SETTINGS) == pytest.approx(CLICKS, abs=0.01)


def test_segments_tile_the_sound(media: Any, tmp_path: Path) -> None:
    """The segments' sound end to end is the whole clip's, with nothing lost or twice."""
    path = media(clicks=np.arange(0.1, 3, 0.37), rate=44_100).write(tmp_path / "a.wav")
    whole = decode_clip(ClipSource("a", sound=path), settings(segments=1, sound_seconds=3.0))
    parts = decode_clip(ClipSource("a", sound=path), settings(segments=7, sound_seconds=1.0))
    joined = np.concatenate([parts.sound[i, : parts.sound_length[i]] for i in range(7)])
    np.testing.assert_allclose(joined.astype(int), whole.sound[0].astype(int), atol=2)


def test_frames_are_the_middles_of_equal_parts(media: Any, tmp_path: Path) -> None:
    made = media(seconds=6.0, fps=30)
    clip = decode_clip(ClipSource("a", made.write(tmp_path / "a.mp4")), settings(segments=2, frames_per_segment=3))
    np.testing.assert_allclose(clip.frame_times, [[0.5, 1.5, 2.5], [3.5, 4.5, 5.5]], atol=1e-3)
    assert clip.frames.shape == (2, 3, 14, 22, 3)
    assert clip.frames.dtype == np.uint8


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_colours_survive(pixel_format: str, media: Any, tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = (200, 30, 60), (20, 90, 180)
    path = media(picture=picture, pixel_format=pixel_format).write(tmp_path / "a.mp4")
    frame = decode_clip(ClipSource("a", path), settings(frame_size=(48, 64))).frames[0, 0]
    np.testing.assert_allclose(frame[:, 4:28].mean((0, 1)), (200, 30, 60), atol=6)
    np.testing.assert_allclose(frame[:, 36:60].mean((0, 1)), (20, 90, 180), atol=6)


@pytest.mark.parametrize("size", [(49, 63), (2, 2), (17, 301)])
def test_odd_sizes(size: tuple[int, int], media: Any, tmp_path: Path) -> None:
    made = media(size=size, pixel_format="yuv444p", sound="")
    clip = decode_clip(ClipSource("a", made.write(tmp_path / "a.mp4")), SETTINGS)
    assert_pictures_are_of_their_times(clip, made)


def quarters(height: int, width: int) -> np.ndarray[Any, Any]:
    """Red, green / blue, white, so that every turn and flip shows."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2, 0] = 255
    picture[: height // 2, width // 2 :, 1] = 255
    picture[height // 2 :, : width // 2, 2] = 255
    picture[height // 2 :, width // 2 :] = 255
    return picture


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
def test_rotation_flags_are_applied(degrees: int, fit: str, media: Any, tmp_path: Path) -> None:
    path = media(picture=quarters(48, 64), rotation=degrees).write(tmp_path / "a.mp4")
    size = (64, 48) if abs(degrees) == 90 else (48, 64)
    frame = decode_clip(ClipSource("a", path), settings(frame_size=size, fit=fit)).frames[0, 0]
    upright = np.rot90(quarters(48, 64), degrees // 90)  # both count against the clock
    for row in (size[0] // 4, 3 * size[0] // 4):
        for column in (size[1] // 4, 3 * size[1] // 4):
            np.testing.assert_allclose(frame[row, column], upright[row, column], atol=25)


def test_anamorphic_pixels_are_made_square(media: Any, tmp_path: Path) -> None:
    """A picture of 64 × 48 whose pixels are twice as wide as high is seen as 128 × 48."""
    path = media(picture=np.full((48, 64, 3), 255, np.uint8), aspect=Fraction(2, 1)).write(tmp_path / "a.mp4")
    padded = decode_clip(ClipSource("a", path), settings(frame_size=(64, 64), fit="pad")).frames[0, 0]
    assert [int((padded.mean(2)[:, c] > 128).sum()) for c in (1, 32, 62)] == [24, 24, 24]
    cropped = decode_clip(ClipSource("a", path), settings(frame_size=(48, 128), fit="crop")).frames[0, 0]
    assert cropped.min() > 240


@pytest.fixture
def big_buck_bunny() -> Path:
    shared = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[5] / "shared"))
    path = shared / "media" / "bigbuckbunny.mp4"
    if not path.exists():
        pytest.skip(f"{path} is not there: set LSTTA_SHARED to the folder that holds media/")
    return path


@pytest.mark.real_data
def test_a_real_film_with_six_channels(big_buck_bunny: Path) -> None:
    preprocessing = settings(segments=5, frames_per_segment=2, frame_size=(90, 160))
    clip = decode_clip(ClipSource("a", big_buck_bunny), preprocessing)
    assert clip.duration == pytest.approx(5.28)
    assert clip.has_sound
    assert clip.frames.std((2, 3, 4)).min() > 20
    assert np.abs(clip.sound.astype(int)).mean(1).min() > 1
    part = decode_clip(
        ClipSource("a", big_buck_bunny, start=1.056, end=2.112), settings(**{**vars(preprocessing), "segments": 1})
    )
    np.testing.assert_array_equal(part.frames[0], clip.frames[1])
