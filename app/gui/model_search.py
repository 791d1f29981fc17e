"""Looks for the model in use off the window's thread: the disk may be slow, or not there."""

import threading
import traceback

from PySide6.QtCore import QObject, Signal

from app.compose.sentence import ExplainedError, Sentence
from app.models.manifest import Manifest


class ModelSearch(QObject):
    """One of the signals follows each ``begin``, whatever the disk does."""

    found = Signal(object)  # InstalledModel
    missed = Signal(object)  # there is none: how many bytes of the base are here
    failed = Signal(object)  # ExplainedError

    def begin(self, manifest: Manifest) -> None:
        """Look."""
        threading.Thread(target=self._look, args=(manifest,), name="model search", daemon=True).start()

    def _look(self, manifest: Manifest) -> None:
        from app.models.errors import storage_error
        from app.models.folders import models_folder
        from app.models.inventory import chosen_model, fetched_bytes

        folder = None
        try:
            folder = models_folder()
            found = chosen_model(folder, manifest)
            if found is not None:
                self.found.emit(found)
            else:
                self.missed.emit(fetched_bytes(folder, manifest))
        except ExplainedError as error:
            self.failed.emit(error)
        except OSError as error:
            self.failed.emit(storage_error(error, folder) if folder is not None else _unforeseen(error))
        except Exception as error:
            self.failed.emit(_unforeseen(error))


def _unforeseen(error: Exception) -> ExplainedError:
    return ExplainedError(
        Sentence(
            "找模型时出了意料之外的错，所以没有打开模型；你的内容都没有动。请重新打开程序再试，若仍如此，请把详情发给我们。",
            "Something unforeseen went wrong while looking for the model, so none is open; nothing of yours was "
            "touched. Start the program again, and if it stays so, send us the details.",
        ),
        "".join(traceback.format_exception(error)),
    )
