"""Speaks words with eSpeak NG. A program of its own: ``python -m lstta_world.say < utterances > sounds``.

eSpeak NG and its voices (GPL-3.0-or-later) come in the wheel ``espeakng-loader``, which the extra
``lstta-world[speech]`` installs. They are loaded in this process and in no other: ``spoken_words.py`` starts it and
reads what it writes, so that nothing else of LSTTA is linked with them.

In: an utterance a line, as JSON: [text, voice, words a minute, pitch 0 … 99]. Out: the samples a second, then for each
utterance how many samples it has and the samples; numbers are int32, samples int16, little-endian. Equal input gives
equal output; an utterance depends on those before it in its last bits. A voice's breath is noise from the C library's
``rand``, which another system may count otherwise.
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
from collections.abc import Iterator

# Of espeak-ng/speak_lib.h.
SYNCHRONOUS, RATE, PITCH, UTF8 = 2, 1, 3, 1
SEED = 1  # of its noise, a voice's breath; else the clock's second is taken
_Heard = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> int:
    """Speak what stands on standard input; returns the exit status."""
    utterances = [json.loads(line) for line in sys.stdin]
    for content in sounds(utterances):
        sys.stdout.buffer.write(content)
    return 0


def sounds(utterances: list[tuple[str, str, int, int]]) -> Iterator[bytes]:
    """The samples a second, then the sound of each utterance, as the program writes them.

    Raises:
        RuntimeError: eSpeak NG does not start, or does not know a voice.
    """
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, *[ctypes.c_uint] * 2, *[ctypes.c_void_p] * 2,
    ]  # fmt: skip
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        raise RuntimeError("eSpeak NG does not start")
    yield struct.pack("<i", rate)
    library.espeak_ng_SetRandSeed(SEED)
    heard: list[bytes] = []

    def keep(wave: ctypes._Pointer[ctypes.c_short], count: int, _: object) -> int:
        if count > 0:
            heard.append(ctypes.string_at(wave, 2 * count))
        return 0

    callback = _Heard(keep)
    library.espeak_SetSynthCallback(callback)
    for text, voice, speed, pitch in utterances:
        heard.clear()
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"eSpeak NG has no voice {voice!r}")
        library.espeak_SetParameter(RATE, speed, 0)
        library.espeak_SetParameter(PITCH, pitch, 0)
        content = text.encode() + b"\0"
        library.espeak_Synth(content, len(content), 0, 0, 0, UTF8, None, None)
        library.espeak_Synchronize()
        sound = b"".join(heard)
        yield struct.pack("<i", len(sound) // 2) + sound


if __name__ == "__main__":
    sys.exit(main())
