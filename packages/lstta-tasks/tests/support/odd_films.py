"""Small films of every container, codec and structure, each with what FFmpeg's program needs to write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ffmpeg import ffmpeg

SIZE = "64x48"
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params")
VP9 = ("-c:v", "libvpx-vp9", "-g", "20")
MPEG = ("-g", "20", "-bf", "2", "-q:v", "3", "-r", "25")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "20")
CODECS: dict[str, tuple[str, ...]] = {
    "h264": (*X264, "-bf", "2"),
    "h264-no-b": (*X264, "-bf", "0"),
    "h264-open": (*X264, "-bf", "3", "-x264-params", "open-gop=1:b-pyramid=normal"),
    "h264-intra-refresh": (*X264, "-bf", "0", "-x264-params", "intra-refresh=1"),
    "h264-one-key": (*X264, "-g", "10000", "-bf", "2"),
    "h264-all-key": (*X264, "-g", "1"),
    "h264-interlaced": (*X264, "-bf", "2", "-flags", "+ildct+ilme", "-x264-params", "tff=1"),
    "hevc-open": (*X265, "log-level=none:keyint=20:open-gop=1:bframes=3"),
    "hevc": (*X265, "log-level=none:keyint=20:open-gop=0"),
    "hevc-intra-refresh": (*X265, "log-level=none:keyint=20:intra-refresh=1:bframes=0"),
    "mpeg4": ("-c:v", "mpeg4", "-g", "20", "-bf", "0", "-q:v", "3"),
    "mpeg4-b": ("-c:v", "mpeg4", "-g", "20", "-bf", "2", "-q:v", "3"),
    "xvid-packed": ("-c:v", "libxvid", "-g", "20", "-bf", "2", "-q:v", "3"),
    "msmpeg4": ("-c:v", "msmpeg4", "-g", "20", "-q:v", "3"),
    "wmv2": ("-c:v", "wmv2", "-g", "20", "-q:v", "3"),
    "mpeg1": ("-c:v", "mpeg1video", *MPEG),
    "mpeg2": ("-c:v", "mpeg2video", *MPEG),
    # Many pictures in one packet of a program stream, which states the time of the first of them alone.
    "mpeg1-small": ("-c:v", "mpeg1video", "-g", "12", "-bf", "2", "-q:v", "20", "-r", "25", "-threads", "1"),
    "mpeg2-small": ("-c:v", "mpeg2video", "-g", "12", "-bf", "2", "-q:v", "20", "-r", "25", "-threads", "1"),
    "mpeg2-closed": ("-c:v", "mpeg2video", *MPEG, "-flags", "+cgop", "-sc_threshold", "1000000000"),
    "vp8": ("-c:v", "libvpx", "-g", "20", "-deadline", "realtime", "-cpu-used", "8", "-auto-alt-ref", "0"),
    "vp9": (*VP9, "-deadline", "realtime", "-cpu-used", "8"),
    "vp9-alt-ref": (*VP9, "-deadline", "good", "-cpu-used", "5", "-auto-alt-ref", "1", "-lag-in-frames", "10"),
    "av1": ("-c:v", "libsvtav1", "-g", "20", "-preset", "12"),
    "av1-open": ("-c:v", "libsvtav1", "-g", "20", "-preset", "12", "-svtav1-params", "irefresh-type=1"),
    "theora": ("-c:v", "libtheora", "-g", "20", "-q:v", "7"),
    "mjpeg": ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"),
    "ffv1": ("-c:v", "ffv1", "-g", "20"),
    "huffyuv": ("-c:v", "huffyuv", "-pix_fmt", "yuv422p"),
    "prores": ("-c:v", "prores_ks"),
    "png": ("-c:v", "png", "-pix_fmt", "rgb24"),
    "pal8": ("-c:v", "rawvideo", "-pix_fmt", "pal8"),
    "raw": ("-c:v", "rawvideo", "-pix_fmt", "yuv420p"),
    "qtrle": ("-c:v", "qtrle", "-pix_fmt", "rgb24", "-g", "20"),
    "msrle": ("-c:v", "msrle", "-pix_fmt", "pal8", "-g", "20"),
    "smc": ("-c:v", "smc", "-pix_fmt", "pal8", "-g", "20"),
    "cinepak": ("-c:v", "cinepak", "-g", "20"),
    "zmbv": ("-c:v", "zmbv", "-g", "20", "-pix_fmt", "bgr0"),
    "msvideo1": ("-c:v", "msvideo1", "-g", "20"),
    "flashsv": ("-c:v", "flashsv", "-g", "20"),
    "flv1": ("-c:v", "flv1", "-g", "20", "-q:v", "3"),
    "gif": ("-c:v", "gif"),
}  # fmt: skip
PLAIN: dict[str, str] = {
    "mp4": "h264 h264-open h264-intra-refresh h264-one-key hevc hevc-open mpeg4-b av1 vp9 mjpeg",
    "mkv": "h264 h264-open h264-intra-refresh h264-all-key hevc-open hevc-intra-refresh mpeg4 mpeg2 vp8 vp9-alt-ref "
    "av1-open theora mjpeg ffv1 raw png huffyuv",
    "webm": "vp8 vp9 av1",
    "avi": "h264 h264-no-b mpeg4 mpeg4-b xvid-packed msmpeg4 mjpeg ffv1 pal8 msrle cinepak zmbv msvideo1 huffyuv png",
    "ts": "h264 h264-open h264-intra-refresh h264-interlaced hevc hevc-open mpeg2 mpeg2-closed mpeg4-b",
    "mpg": "mpeg1 mpeg2 mpeg1-small mpeg2-small",
    "mov": "h264 prores mjpeg png qtrle smc",
    "flv": "h264 flv1 flashsv",
    "wmv": "wmv2",
    "gif": "gif",
    "ogg": "theora",
}
FAST = ("pal8.avi", "xvid-packed.avi", "h264-open.ts", "h264-intra-refresh.mp4", "hevc-open.mkv", "h264-open-cut.mp4",
        "h264-restarts.ts", "h264-rate.mkv", "mpeg2-small.mpg", "gif.gif", "h264-still.mkv", "smc.mov")  # fmt: skip


def write(path: Path, codec: str, *, seconds: float = 40, rate: int = 5, more: tuple[str, ...] = ()) -> Path:
    """Moving shapes; every picture differs."""
    source = f"testsrc2=size={SIZE}:rate={rate}:duration={seconds}"
    ffmpeg("-y", "-f", "lavfi", "-i", source, *more, "-pix_fmt", "yuv420p", *CODECS[codec], path)
    return path


def _cut(path: Path, codec: str) -> Path:
    whole = write(path.with_name(f"whole-{path.name}"), codec)
    ffmpeg("-y", "-ss", "6.3", "-i", whole, "-c", "copy", path)
    return path


def _joined(path: Path, codec: str) -> Path:
    """Two films one after the other, written anew by FFmpeg without decoding."""
    parts = [
        write(path.with_name(f"{part}-{path.name}"), codec, seconds=seconds) for part, seconds in ((1, 14), (2, 21))
    ]
    listed = path.with_suffix(".list")
    listed.write_text("".join(f"file '{part.name}'\n" for part in parts))
    ffmpeg("-y", "-f", "concat", "-safe", "0", "-i", listed, "-c", "copy", path)
    return path


def _restarts(path: Path, codec: str) -> Path:
    """The bytes of two films one after the other."""
    parts = [
        write(path.with_name(f"{part}-{path.name}"), codec, seconds=seconds) for part, seconds in ((1, 14), (2, 21))
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _rate(path: Path, codec: str) -> Path:
    """Pictures at odd times: some stay for more than ten seconds."""
    kept = "select='not(mod(n,3))*lt(t,10)+not(mod(n,59))+gt(t,31)'"
    return write(path, codec, more=("-vf", kept, "-fps_mode", "vfr"))


def _still(path: Path, codec: str) -> Path:
    """One picture, and ten seconds of sound."""
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=10:sample_rate=16000")
    return write(path, codec, seconds=0.2, more=(*sound, "-map", "1", "-map", "0"))


def _one(path: Path, codec: str) -> Path:
    return write(path, codec, seconds=0.2)


STRUCTURES: dict[str, tuple[Callable[[Path, str], Path], str]] = {
    "cut": (_cut, "h264.mp4 h264-open.mp4 h264-open.mkv h264-open.ts hevc-open.mp4 hevc-open.ts h264-intra-refresh.mkv "
                  "mpeg2.ts mpeg4-b.avi xvid-packed.avi vp9.webm av1.mkv"),
    "joined": (_joined, "h264.mp4 h264-open.mkv h264.ts hevc.mp4 mpeg4.avi pal8.avi vp9.webm h264.flv"),
    "restarts": (_restarts, "h264.ts h264-open.ts hevc.ts mpeg2.mpg mpeg2.ts"),
    "rate": (_rate, "h264.mp4 h264.mkv hevc-open.mp4 vp9.webm h264.flv"),
    "still": (_still, "h264.mp4 h264.mkv mpeg4.avi h264.ts vp9.webm mjpeg.mov"),
    "one": (_one, "h264.mp4 png.mkv gif.gif h264.ts pal8.avi mpeg1.mpg"),
}  # fmt: skip


def names() -> list[str]:
    """Of all films."""
    plain = [f"{codec}.{suffix}" for suffix, codecs in PLAIN.items() for codec in codecs.split()]
    odd = [name.replace(".", f"-{kind}.") for kind, (_, films) in STRUCTURES.items() for name in films.split()]
    return plain + odd


def make(name: str, folder: Path) -> Path:
    """Write one of them."""
    stem = name.rpartition(".")[0]
    if stem in CODECS:
        return write(folder / name, stem)
    codec, _, kind = stem.rpartition("-")
    return STRUCTURES[kind][0](folder / name, codec)
