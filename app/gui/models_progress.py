"""How far a model is on its way, as numbers for a bar and words for a person."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.models.progress import STEPS, Progress

# Roughly how much of the whole each step takes, for one bar that never runs backwards.
SHARES = {"check": 0.01, "download": 0.72, "verify": 0.03, "merge": 0.17, "hash": 0.02, "trial": 0.05}


def overall(progress: Progress) -> float:
    """How far the whole is, 0 to 1: of an installation over all its steps, of anything else over its one."""
    part = min(progress.done / progress.total, 1.0) if progress.total > 0 else 0.0
    if progress.step not in STEPS:
        return part
    before = sum(SHARES[step] for step in STEPS[: STEPS.index(progress.step)])
    # Rounded: the last bits of a sum must not let the bar step back.
    return round(before + part * SHARES[progress.step], 6)


@dataclass
class Rate:
    """The speed of one step, smoothed; bytes and seconds. ``stalled``: nothing has come for a while."""

    step: str = ""
    stalled: bool = False
    _mark: tuple[float, int] | None = None
    _speed: float | None = None

    def feed(self, progress: Progress, now: float) -> None:
        """Note how far it is at ``now``, in seconds of any steady clock."""
        self.stalled = False
        if progress.step != self.step or self._mark is None or progress.done < self._mark[1]:
            self.step, self._mark, self._speed = progress.step, (now, progress.done), None
            return
        seconds, done = now - self._mark[0], progress.done - self._mark[1]
        if seconds >= 1.0:
            speed = done / seconds
            self._speed = speed if self._speed is None else 0.7 * self._speed + 0.3 * speed
            self._mark = (now, progress.done)

    @property
    def speed(self) -> float | None:
        """Bytes a second; None until there is something to say."""
        return self._speed

    def left(self, progress: Progress) -> float | None:
        """Seconds left of this step; None until there is something to say, or while nothing moves."""
        return (progress.total - progress.done) / self._speed if self._speed else None


def figures(progress: Progress | None, rate: Rate) -> str:
    """How much of a download is here, how fast it comes, how long it will take; "" of any other step."""
    if progress is None or progress.step != "download" or progress.total <= 0:
        return ""
    parts = [f"{megabytes(progress.done)} / {megabytes(progress.total)} MB"]
    if rate.stalled:
        return "  ·  ".join(
            (*parts, QCoreApplication.translate("Figures", "暂时没有数据过来，正在等，等不到会自己重连"))
        )
    if rate.speed is not None:
        parts.append(f"{rate.speed / 1e6:.1f} MB/s")
    left = rate.left(progress)
    if left is not None:
        parts.append(_left(left))
    return "  ·  ".join(parts)


def gigabytes(count: int) -> str:
    """Bytes as a person thinks of a download: ``1.1 GB``, ``12 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 100_000_000 else f"{max(count, 1_000_000) / 1e6:.0f} MB"


def megabytes(count: int) -> str:
    """Bytes as whole megabytes with thousands separated, without the unit."""
    return f"{round(count / 1e6):,}"


def _left(seconds: float) -> str:
    if seconds < 60:
        return QCoreApplication.translate("Figures", "不到 1 分钟")
    if seconds < 5400:
        return QCoreApplication.translate("Figures", "还要约 {minutes} 分钟").format(minutes=round(seconds / 60))
    return QCoreApplication.translate("Figures", "还要约 {hours} 小时").format(hours=f"{seconds / 3600:.1f}")
