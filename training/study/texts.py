"""What is written in a study, through the evaluation's own loop: by the untuned base, and by the model of every run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from training.evaluation.outputs import Output, outputs_file
from training.evaluation.prompt_system import Layout
from training.evaluation.requests import Asked
from training.evaluation.systems import Choices, opened
from training.evaluation.write import Pace, write_outputs
from training.records import Record
from training.workspace import Workspace, make_folder, read_note, write_note

BASE_FOLDER = "base"
_NOTE = "texts.json"


def base_texts(workspace: Workspace, records: Sequence[Record]) -> dict[str, str]:
    """What the untuned base writes for the records' requests, told the rules and shown no example, by record id. Kept
    in the study's folder.

    Raises:
        TrainingError, ModelError, EngineError: the base cannot be read or cannot write, or the disk does not allow it.
    """
    asked = asked_by(records)
    writer = Workspace(workspace.recipe, workspace.folder / BASE_FOLDER)
    choices = Choices(base=workspace.recipe.base.file, layout=Layout.NONE)
    identity = workspace.identity("base texts", [each.id for each in asked])
    return {output.request: output.text for output in _written(writer, "prompt", choices, asked, 1, identity)}


def tuned_texts(run: Workspace, asked: Sequence[Asked], each: int, identity: str) -> list[Output]:
    """``each`` texts of a run's model for every request, kept in the run's folder as long as ``identity`` is the same.

    Raises:
        TrainingError, ModelError, EngineError: as :func:`base_texts`.
    """
    return _written(run, "lora", Choices(model=run.model), asked, each, identity)


def texts_file(folder: Path) -> Path:
    """Where the texts of a run, or of the base, are in its folder."""
    return outputs_file(folder, folder.name)


def asked_by(records: Sequence[Record]) -> list[Asked]:
    """The records' requests, by their ids."""
    return [Asked(record.id, "", record.request) for record in records]


def _written(
    writer: Workspace, kind: str, choices: Choices, asked: Sequence[Asked], each: int, identity: str
) -> list[Output]:
    """The texts of a system of that kind. Those there are of another identity, of other requests or another model, are
    removed first."""
    make_folder(writer.folder)
    note = writer.folder / _NOTE
    if read_note(note).get("identity") != identity:
        for file in (texts_file(writer.folder), texts_file(writer.folder).with_suffix(".json")):
            file.unlink(missing_ok=True)
        write_note(note, {"identity": identity})
    pace = Pace(each, writer.recipe.seed, "cpu" if writer.recipe.device == "cpu" else "auto")
    with opened(kind, choices, writer.catalog) as system:
        return write_outputs(replace(system, name=writer.folder.name), asked, writer.catalog, writer.folder, pace)
