"""Where decoding can begin within a stream, read from the pictures' own bytes.

A container calls a picture a keyframe for many reasons, and not all mean that what follows can be decoded without what
came before: Xvid's placeholders for packed B-frames are called so, the first picture of an intra refresh is, and so is
every picture of some cut or joined file. Here only what the codec's own standard promises counts; whatever is not
listed is decoded from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

# Codecs of which every picture stands for itself, and whose decoders keep nothing from one to the next.
_INTRA = frozenset(
    ("mjpeg", "png", "prores", "dnxhd", "rawvideo", "v210", "dvvideo", "jpeg2000", "huffyuv", "utvideo", "bmp", "tiff")
)
_SLICE, _IDR, _SEI, _SPS, _PPS = 1, 5, 6, 7, 8  # types of units in H.264
_RECOVERY_POINT = 6  # a kind of side message in H.264


def has_entry_points(codec: str, pixel_format: str | None) -> bool:
    """Whether :func:`is_entry_point` can ever be true. A palette may come once, with the first picture alone."""
    return pixel_format != "pal8" and (codec in _INTRA or codec in _READERS)


def is_entry_point(codec: str, data: bytes, extradata: bytes = b"") -> bool:
    """Whether this picture, and every one that is shown after it, can be decoded with nothing before it.

    Args:
        codec: FFmpeg's name of it.
        data: of the packet, which its container calls a keyframe.
        extradata: of the stream: what its container has of the codec's settings.
    """
    if codec in _INTRA:
        return True
    reader = _READERS.get(codec)
    return reader is not None and reader(data, extradata)


def _h264(data: bytes, extradata: bytes) -> bool:
    """An IDR picture, or an intra picture whose side message promises exact pictures from it on."""
    in_header = extradata[:1] == b"\1"
    sets: set[int] = set()
    promised = False
    for unit in _units(data, (extradata[4] & 3) + 1 if in_header and len(extradata) > 4 else 0):
        kind = unit[0] & 31
        if kind in (_SPS, _PPS):
            sets.add(kind)
        elif kind == _SEI:
            promised = promised or _promises_recovery(unit)
        elif kind == _IDR or (kind == _SLICE and promised and _is_intra_slice(unit)):
            return in_header or sets == {_SPS, _PPS}
        elif kind in (_SLICE, 2):
            return False
    return False


def _promises_recovery(unit: bytes) -> bool:
    """Whether a unit of side messages has a recovery point at once, exact, and with no broken link."""
    data = unit[1:].replace(b"\0\0\3", b"\0\0")
    at = 0
    while at + 2 < len(data):
        numbers = []
        for _ in range(2):  # its kind and its size
            number = 0
            while at < len(data) - 1 and data[at] == 255:
                number, at = number + 255, at + 1
            numbers.append(number + data[at])
            at += 1
            if at >= len(data):
                return False
        kind, size = numbers
        if kind == _RECOVERY_POINT:
            return data[at] >> 5 == 0b110
        at += size
    return False


def _is_intra_slice(unit: bytes) -> bool:
    bits = int.from_bytes(unit[1:9].ljust(8, b"\0"), "big")
    at = 64

    def number() -> int:
        nonlocal at
        zeros = 0
        while at > 0 and not bits >> (at - 1) & 1:
            zeros, at = zeros + 1, at - 1
        length = zeros + 1
        at -= length
        return (bits >> at & (1 << length) - 1) - 1 if at >= 0 else -1

    number()  # the slice's first block
    return number() in (2, 7)


def _hevc(data: bytes, extradata: bytes) -> bool:
    """An intra random access picture: none that is shown after it may refer to any before it."""
    in_header = extradata[:1] == b"\1" and len(extradata) > 21
    sets: set[int] = set()
    for unit in _units(data, (extradata[21] & 3) + 1 if in_header else 0):
        kind = unit[0] >> 1 & 63
        if kind < 32:
            return 16 <= kind <= 21 and (in_header or {32, 33, 34} <= sets)
        sets.add(kind)
    return False


def _vp8(data: bytes, extradata: bytes) -> bool:
    return len(data) > 3 and not data[0] & 1


def _vp9(data: bytes, extradata: bytes) -> bool:
    """A keyframe that is shown: marker 2, two bits of profile, then: shown again, no keyframe, shown."""
    return bool(data) and data[0] >> 6 == 2 and data[0] & 0b110000 != 0b110000 and data[0] & 0b1110 == 0b0010


def _av1(data: bytes, extradata: bytes) -> bool:
    """The first frame of the packet is a keyframe and shown, and the sequence's header comes with it."""
    at, has_header = 0, extradata[:1] == b"\x81"
    while at < len(data):
        head = data[at]
        kind = head >> 3 & 15
        at += 2 if head & 4 else 1
        if not head & 2:
            return False
        size = shift = 0
        while at < len(data):
            byte = data[at]
            size, shift, at = size | (byte & 127) << shift, shift + 7, at + 1
            if not byte & 128 or shift > 28:
                break
        if kind == 1:
            has_header = True
        elif kind in (3, 6):  # a frame's header: not shown again, a keyframe, shown
            return has_header and at < len(data) and data[at] >> 4 == 0b0001
        at += size
    return False


def _mpeg2(data: bytes, extradata: bytes) -> bool:
    """An intra picture behind the sequence's header; pictures that are shown after it never refer past it."""
    header, picture = data.find(b"\0\0\1\xb3"), data.find(b"\0\0\1\0")
    return 0 <= header < picture and picture + 5 < len(data) and data[picture + 5] >> 3 & 7 == 1


def is_shown_at_once(data: bytes) -> bool:
    """Whether an MPEG-1 or MPEG-2 picture says that none which is stored after it is shown before it."""
    picture = data.find(b"\0\0\1\0")
    return 0 <= picture < len(data) - 5 and data[picture + 4] << 2 | data[picture + 5] >> 6 == 0


def _mpeg4(data: bytes, extradata: bytes) -> bool:
    """One intra picture, and the settings of the stream in its packet or in the container's header."""
    has_settings = bool(extradata) or any(0x20 <= data[at + 3] < 0x30 for at in _codes(data[:256]))
    return has_settings and mpeg4_kinds(data) == [0]


def mpeg4_kinds(data: bytes) -> list[int]:
    """Of the pictures in a packet of MPEG-4 part 2: 0 intra, 1 predicted, 2 a B-frame. Two are packed into one."""
    return [data[at + 4] >> 6 for at in _codes(data) if data[at + 3] == 0xB6 and at + 4 < len(data)]


def _codes(data: bytes) -> Iterator[int]:
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        yield at
        at = data.find(b"\0\0\1", at + 3)


_READERS: dict[str, Callable[[bytes, bytes], bool]] = {
    "h264": _h264,
    "hevc": _hevc,
    "vp8": _vp8,
    "vp9": _vp9,
    "av1": _av1,
    "mpeg1video": _mpeg2,
    "mpeg2video": _mpeg2,
    "mpeg4": _mpeg4,
}


def _units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """The beginnings of a picture's units, at most 4,096 bytes of each.

    Args:
        data: of the packet.
        length_bytes: of the number before each; 0 where they are told apart by start codes.
    """
    at = 0
    while length_bytes and at + length_bytes < len(data):
        size = int.from_bytes(data[at : at + length_bytes], "big")
        at += length_bytes
        if size:
            yield data[at : at + min(size, 4_096)]
        at += size
    at = data.find(b"\0\0\1") if not length_bytes else -1
    while 0 <= at < len(data) - 3:
        after = data.find(b"\0\0\1", at + 3)
        yield data[at + 3 : min(at + 3 + 4_096, after if after >= 0 else len(data))]
        at = after
