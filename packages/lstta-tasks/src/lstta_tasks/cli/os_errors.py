"""What the operating system refused, in words: the file, the reason and the way out. Imports nothing heavy."""

from __future__ import annotations

import errno

WAYS_OUT = {
    errno.ENOENT: "there is no such file or folder: look at its name, and make the folder that it is to be in",
    errno.EACCES: "no permission: change the permissions, or name a folder of your own",
    errno.EPERM: "no permission: change the permissions, or name a folder of your own",
    errno.EROFS: "its file system is for reading alone: name a folder elsewhere",
    errno.EEXIST: "something else has this name: name another",
    errno.ENOTDIR: "a folder is wanted, and there is a file in its place: name another",
    errno.EISDIR: "a file is wanted, and this is a folder",
    errno.ENOSPC: "no space is left on the device: make room, or name a folder elsewhere",
    errno.EDQUOT: "no space is left to you there: make room, or name a folder elsewhere",
}


def in_words(error: OSError) -> str:
    """Of one that Python raised from an error number, with the file that it names; any other says it itself."""
    way_out = WAYS_OUT.get(error.errno or 0)
    if way_out is None or error.strerror is None or len(error.args) < 2:
        return str(error)
    return way_out if error.filename is None else f"{error.filename}: {way_out}"
