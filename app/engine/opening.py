"""Opens a model: its file is hashed while llama.cpp maps it, on the best device, or on the CPU where that fails."""

import threading
from collections.abc import Callable
from pathlib import Path

from app.compose.sentence import Sentence
from app.engine import device, errors
from app.engine.protocol import Load
from app.engine.runtime import Runtime
from app.engine.thread_record import name_of, recorded_threads
from app.engine.threads import counts_worth_trying, usable_cores
from app.models.errors import Cancelled
from app.models.verify import is_tuned, verify_model

# Bytes a GPU needs beyond the weights: the cache, compute buffers, its own runtime.
_OVERHEAD = 600 << 20


class Opening:
    """One attempt to open a model.

    Args:
        progress: told the fraction done, 0 to 1 and never falling, and the name of the device; called from two threads,
            never from both at once.
        stopped: asked often whether to give up.
    """

    def __init__(self, load: Load, progress: Callable[[float, str], None], stopped: Callable[[], bool]) -> None:
        self._load = load
        self._path = Path(load.path)
        self._progress = progress
        self._stopped = stopped
        self._lock = threading.Lock()
        self._mapped = 0.0
        self._hashed = 0.0 if load.sha256 else 1.0
        self._told = -1
        self._device = ""
        self._refusal: Exception | None = None

    def run(self) -> tuple[Runtime, str, Sentence]:
        """The runtime, the name of its device, and why it is that one.

        Raises:
            ModelError: the file is not whole, not a model, one that cannot be asked anything, or not the one that
                ``load.sha256`` names.
            EngineError: the file is what it should be, and llama.cpp cannot open it; ``model_changed`` when it did not
                stay what it was.
            OpeningStopped: ``stopped()`` became true.
        """
        before = _identity(self._path)
        header = verify_model(self._path, sha256=None, cancelled=self._stopped)
        is_tuned(self._path, header)
        blocks = header.metadata.get(f"{header.metadata.get('general.architecture')}.block_count")
        hashing = threading.Thread(target=self._verify, name="verify", daemon=True)
        if self._load.sha256:
            hashing.start()
            if self._load.hash_first:
                hashing.join()
        runtime: Runtime | None = None
        try:
            if self._refusal is None:
                runtime, reason = self._on_best_device(blocks)
        except errors.EngineError as error:
            self._refusal = self._refusal or error
        except errors.OpeningStopped:
            self._refusal = self._refusal or errors.OpeningStopped()
        # What is wrong with the file says more than that it could not be opened.
        if self._load.sha256:
            hashing.join()
        # What was hashed and what llama.cpp read were each opened by the same name, one after the other.
        if self._refusal is None and _identity(self._path) != before:
            self._refusal = errors.model_changed(self._path)
        if self._refusal is None and runtime is not None and not self._stopped():
            return runtime, self._device, reason
        if runtime is not None:
            runtime.close()
        raise self._refusal or errors.OpeningStopped()

    def found(self) -> tuple[str, ...]:
        """The devices of this machine, for a report; where only the CPU was asked for, no GPU is looked for."""
        gpus = (lambda: ()) if self._load.device == "cpu" else device.gpus
        return (*device.found_here(gpus, device.gpu_backends), device.instructions())

    def _on_best_device(self, blocks: object) -> tuple[Runtime, Sentence]:
        # The output counts as one more, as for llama.cpp; a file that does not say goes to one device as a whole.
        needs = device.Needs(self._path.stat().st_size, (blocks if isinstance(blocks, int) else 0) + 1, _OVERHEAD)
        choice = device.choose(self._load.device, self._load.device_reason, needs)
        return device.open_on_best(choice, needs, self._on)

    def _on(self, gpu: device.Gpu | None, layers: int) -> Runtime:
        self._device = gpu.label if gpu else "CPU"
        threads = self._load.threads or recorded_threads(name_of(self._load), counts_worth_trying()) or usable_cores()
        return Runtime(
            self._path,
            gpu=gpu,
            layers=layers,
            threads=threads,
            context=self._load.context,
            progress=self._report_mapped,
        )

    def _verify(self) -> None:
        try:
            verify_model(self._path, sha256=self._load.sha256, cancelled=self._stopped, progress=self._report_hashed)
        except Cancelled:
            self._refusal = errors.OpeningStopped()
        except Exception as error:
            self._refusal = error

    def _report_hashed(self, done: int, total: int) -> None:
        self._hashed = done / max(1, total)
        self._report()

    def _report_mapped(self, fraction: float) -> bool:
        self._mapped = max(self._mapped, fraction)
        self._report()
        return self._refusal is None and not self._stopped()

    def _report(self) -> None:
        with self._lock:
            percent = int(50 * (self._mapped + self._hashed))
            if percent > self._told:
                self._told = percent
                self._progress(percent / 100, self._device)


def _identity(path: Path) -> tuple[int, ...] | None:
    """What tells a file from another in its place, and from itself before it was written to; None where none is."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
