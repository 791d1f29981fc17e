"""What test_kill.py starts: for every line it is sent, a child that writes, and says so, until it is killed.

``python -m tests.people.kill_child FILE``. One process imports everything once and forks, as a hundred new interpreters
would spend their lives importing.
"""

import os
import random
import sys
from pathlib import Path

from app.compose.sentence import Sentence
from app.people import batch, deletion, history, recipients
from app.people.store import Store, open_store
from tests.people.conftest import draft, request


def say(*words: object) -> None:
    """One line in one write, so that a kill never leaves half of it."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def write_forever(store: Store, drawn: random.Random) -> None:
    """Every kind of write, each confirmed by a line once it has returned."""
    person = recipients.add_recipient(store, recipients.recipient_fields("张三", facts=["升职"]))
    say("recipient", person.id)
    rows = [batch.RowFields(f"第{n}位", request(address="王总"), person.id) for n in range(20)]
    current = batch.create_batch(store, "除夕", rows)
    say("batch", current, len(rows))
    while True:
        choice = drawn.randrange(5)
        entry = history.add_written(store, draft("新春好，" + "年" * drawn.randrange(400), person.id))
        say("written", entry.id, len(entry.text))
        if choice == 0:
            say("sent", history.mark_sent(store, entry.id).id)
        elif choice == 1:
            history.set_favourite(store, entry.id, True)
            say("favourite", entry.id)
        elif choice == 2:
            history.edit_written(store, entry.id, "改过")
            say("edited", entry.id)
        elif choice == 3:
            deletion.delete(store, "written", [entry.id])
            say("deleted", entry.id)
        for row in batch.take_rows(store, current, 2):
            if drawn.random() < 0.2:
                batch.fail_row(store, row.id, Sentence("没写成。", "Failed."))
                say("row_failed", row.id)
            else:
                batch.finish_row(store, row, f"给{row.fields.name}", model="m", seed=1)
                say("row_written", row.id)
                say("row_copied", row.id, batch.mark_copied(store, row.id).id)


def main(path: Path) -> None:
    """A child for every line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            store = open_store(path)
            say("pid", os.getpid())
            write_forever(store, random.Random(line))
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
