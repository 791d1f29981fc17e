"""Engine processes that may not take all the memory there is, and whose death is one of their events."""

import sys

from app.compose.sentence import Sentence
from app.engine.protocol import Died
from tests.engine.conftest import EngineProcess

DEAD = Sentence("进程没了。", "The process is gone.")

_LIMITED = """
import resource, sys
from pathlib import Path
from app.engine import opening, process
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
process.main()
"""


def engine_with(memory: int) -> list[str]:
    """What starts an engine process of Linux that may take so many bytes of address space more than it has with
    everything imported."""
    return [sys.executable, "-c", _LIMITED, str(memory)]


class MortalEngine(EngineProcess):
    """Its last event is Died."""

    def _read(self) -> None:
        super()._read()
        self.events.put(Died(self.process.wait(), DEAD, False))
