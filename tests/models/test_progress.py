"""How often progress is shown: app.models.progress."""

from app.compose.sentence import Sentence
from app.models.progress import OFTEN, Paced, Progress, report_of


def test_the_first_of_a_step_is_shown_at_once_and_then_the_latest() -> None:
    now = 0.0
    shown: list[Progress] = []
    paced = Paced(shown.append, lambda: now)
    download, merge = report_of("download", paced.take), report_of("merge", paced.take)

    def told() -> list[tuple[str, int]]:
        return [(progress.step, progress.done) for progress in shown]

    for done in range(4):
        download(done, 9, Sentence("下载", "downloading"))
    assert told() == [("download", 0)]
    paced.flush()
    assert told()[1:] == [("download", 3)], "nothing more came: what came last is shown"
    paced.flush()
    assert len(shown) == 2
    download(4, 9, Sentence("下载", "downloading"))
    merge(0, 9, Sentence("合并", "merging"))
    assert told()[2:] == [("download", 4), ("merge", 0)], "a step is shown to its end before another"
    now += OFTEN
    merge(1, 9, Sentence("合并", "merging"))
    merge(2, 9, Sentence("合并", "merging"))
    assert told()[4:] == [("merge", 1)]
