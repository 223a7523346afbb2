"""How long packets of sound last by their own headers.

Files that are nothing but such packets, and transport streams, do not state the time of each: demuxers count on with
the rate of the first packet, and are wrong once the rate changes.
"""

from __future__ import annotations

_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)


def has_headers(container: str, codec: str) -> bool:
    """Whether packets of this codec come with headers of their own in this format."""
    return codec in ("mp3", "mp3float") or (codec == "aac" and container in ("aac", "mpegts"))


def rate_and_samples(codec: str, data: bytes) -> tuple[int, int] | None:
    """The sample rate in Hz, and how many samples the packet has; None where there is no header.

    Args:
        codec: FFmpeg's name of the decoder.
        data: of the packet.
    """
    if len(data) < 4 or data[0] != 255 or data[1] & 0xE0 != 0xE0:
        return None
    if codec == "aac":
        index = data[2] >> 2 & 15
        return (_AAC_RATES[index], 1_024) if index < len(_AAC_RATES) else None
    version, index = data[1] >> 3 & 3, data[2] >> 2 & 3
    if version not in _MP3_RATES or index == 3:
        return None
    is_third_layer = data[1] >> 1 & 3 == 1
    return _MP3_RATES[version][index], 576 if is_third_layer and version != 3 else 1_152


def is_tag(data: bytes) -> bool:
    """Whether a packet is a title and an artist between two pieces of music, not sound."""
    return data[:3] in (b"ID3", b"TAG") or data[:8] == b"APETAGEX"
