"""Asks before everything a person wrote is removed for good."""

from app.compose.sentence import Sentence
from app.gui.people_thread import PeopleThread
from app.gui.quiet_bar import QuietBar

ERASED = Sentence("全部数据已彻底删除", "All data is erased")


def ask_erasure(bar: QuietBar, people: PeopleThread) -> None:
    """Put the question into ``bar``; the answer yes erases."""
    bar.ask(
        Sentence(
            "彻底删掉所有联系人、写过的、群发名单和备份？删了就找不回来，也不能撤销。导出过的文件不受影响。",
            "Erase all people, everything written, every list and the backups? Nothing brings them back, and it "
            "cannot be undone. Files you exported are not touched.",
        ),
        Sentence("彻底删除", "Erase everything"),
        people.erase,
    )
