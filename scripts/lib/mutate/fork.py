"""Work in forked children, which cost next to nothing and leave nothing behind."""

from collections.abc import Callable, Iterator
from contextlib import suppress
import os
from pathlib import Path
import resource
import signal
import traceback

#: How much memory a child may take (bytes): a change may make a list grow for ever.
_MEMORY = 4 * 1024**3

type Say = Callable[[str], None]


class ChildError(RuntimeError):
    """A child ended before it should."""


class TimeIsUpError(ChildError):
    """A child took too long."""


def in_child(
    work: Callable[[Say], None], log: Path | None = None, seconds: float = 0
) -> Iterator[str]:
    """Do some work in a child, and return the lines that it says there, as it does.

    What it prints goes to a log file, if anywhere. Raises ChildError if it failed or
    crashed, TimeIsUpError after so many seconds if there are any.
    """
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        _do(work, write, log, seconds)
    os.close(write)
    try:
        with os.fdopen(read) as lines:
            for line in lines:
                yield line.removesuffix("\n")
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        pid = 0
    finally:
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if status == -signal.SIGALRM:
        raise TimeIsUpError(f"it took more than {seconds:.0f} s")
    if status:
        raise ChildError(f"it ended with {status}")


def _do(work: Callable[[Say], None], write: int, log: Path | None, secs: float) -> None:
    """Be the child, and never return."""
    status = 1
    try:
        # Nobody handles it, so it ends even what never comes back to the interpreter.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, secs)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        output = os.open(log or os.devnull, flags, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        work(lambda text: _write(write, text))
        status = 0
    except BaseException:  # noqa: BLE001  whatever it is, the parent has to go on alone
        traceback.print_exc()
    finally:
        os._exit(status)


def _write(pipe: int, text: str) -> None:
    left = f"{text}\n".encode()
    while left:
        left = left[os.write(pipe, left) :]
