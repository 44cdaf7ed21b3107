"""A worker of this package as a process of its own."""

import asyncio
import json
import sys
from typing import Any

from scripts.lib.process import ROOT

from .zoho import WrongResultError

#: The longest that a worker may take (seconds).
LIMIT = 300


async def run_worker(name: str, *arguments: str) -> Any:
    """Return what a worker prints in its last line, which is JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"{__package__}.{name}",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LIMIT):
            output, errors = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise WrongResultError(f"{name} failed:\n{errors.decode()[-3000:]}")
    return json.loads(output.splitlines()[-1])
