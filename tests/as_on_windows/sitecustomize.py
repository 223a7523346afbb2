"""Python as our own modules would find it on Windows, as far as that can be played on Linux.

Every process that has this folder on PYTHONPATH runs it first. For modules whose names begin with ``lstta_``: modules
and functions that Windows lacks are not there, ``os.name`` and ``sys.platform`` say so, and text is opened with
an encoding or not at all. For all: processes are spawned, and take no pipes but the three standard ones; what is open
in a process is neither replaced, renamed nor deleted. Whether that is all that matters, only Windows can tell.
"""

from __future__ import annotations

import builtins
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import types
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog"}
GONE = {
    "os": {
        *("fork", "forkpty", "register_at_fork", "posix_spawn", "nice", "killpg", "setsid", "getpgid", "wait"),
        *("sched_getaffinity", "sched_setaffinity", "getloadavg", "sysconf", "uname", "statvfs", "chown", "mkfifo"),
        *("getuid", "geteuid", "getgid", "setuid", "pread", "pwrite", "sendfile", "fchmod", "fdatasync", "WNOHANG"),
        *("O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "O_NONBLOCK", "O_SYNC", "O_DSYNC"),
    },
    "signal": {
        *("pthread_sigmask", "pthread_kill", "sigwait", "sigwaitinfo", "sigtimedwait", "sigpending", "setitimer"),
        *("alarm", "pause", "siginterrupt", "SIGKILL", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGQUIT"),
        *("SIGPIPE", "SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"),
    },
    "sys": set(),
}
SAID = {"os": {"name": "nt"}, "sys": {"platform": "win32"}, "signal": {}}


class _AsThere(types.ModuleType):
    """A module without what Windows lacks."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(module.__name__)
        vars(self)["_module"] = module

    def __getattr__(self, name: str) -> Any:
        module = self._module.__name__
        if name in GONE[module]:
            raise AttributeError(f"module {module!r} has no attribute {name!r} on Windows")
        return SAID[module].get(name, getattr(self._module, name))

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._module, name, value)


_there = {"os": _AsThere(os), "signal": _AsThere(signal), "sys": _AsThere(sys)}
_import = builtins.__import__


def _imported(
    name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
) -> types.ModuleType:
    if level == 0 and str((globals or {}).get("__package__")).startswith("lstta_"):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
        if name in _there:
            return _there[name]
    return _import(name, globals, locals, fromlist, level)


def _held() -> set[str]:
    """The files that this process has open or mapped."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    held = {line.split(maxsplit=5)[5].strip() for line in maps.splitlines() if "/" in line}
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            held.add(str(link.readlink()))
    return {path for path in held if not Path(path).is_dir()}


def _refuse_if_open(*paths: Any) -> None:
    held = _held()
    for path in map(os.path.realpath, paths):
        if any(one == path or one.startswith(f"{path}/") for one in held):
            raise PermissionError(errno.EACCES, "The process cannot access the file: it is being used", path)


def _with_closed(call: Any) -> Any:
    def act(*arguments: Any, **options: Any) -> Any:
        if not any(options.values()):  # else names in a folder that is open, which only rmtree of Linux has
            _refuse_if_open(*arguments)
        return call(*arguments, **options)

    return act


class _Popen(subprocess.Popen):  # type: ignore[type-arg]
    def __init__(self, *arguments: Any, **options: Any) -> None:
        for option in ("pass_fds", "preexec_fn", "start_new_session", "process_group", "umask"):
            if options.get(option):
                raise ValueError(f"{option} is not supported on Windows platforms")
        super().__init__(*arguments, **options)


builtins.__import__ = _imported  # type: ignore[assignment]
for _name in ("replace", "rename", "unlink", "remove"):
    setattr(os, _name, _with_closed(getattr(os, _name)))
subprocess.Popen = _Popen  # type: ignore[misc]
multiprocessing.set_start_method("spawn")
warnings.filterwarnings("error", category=EncodingWarning, module="lstta_")
