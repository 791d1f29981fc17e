"""What is told of a work of minutes: app.commands.stoppable."""

import json
import subprocess
import sys

from app import program
from app.commands.stoppable import INTERRUPTED

# As a download whose line stalls after a burst, and which gives up in the end.
STANDING_STILL = """
import time
from app import program
from app.commands.stoppable import carry_out
from app.compose.sentence import Sentence
from app.models.errors import Cancelled
from app.models.progress import report_of

def work(tell, stopped):
    report = report_of("download", tell)
    for done in range(5):
        report(done, 9, Sentence("下载", "downloading"))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if stopped():
            raise Cancelled
        time.sleep(0.05)
    raise OSError("gave up")

program.have_streams()
raise SystemExit(carry_out(work, as_json=True))
"""


def test_how_far_it_was_when_nothing_more_came_is_told() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STANDING_STILL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=program.ROOT,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("done") == 4:
                process.stdin.close()  # which stops it
    assert process.returncode == INTERRUPTED, "it was told while it stood still"
