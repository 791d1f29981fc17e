"""Fetching models for the commands: with what the person set, what they said this time on top of it, and the trial."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.commands.model_choice import sampling_of
from app.commands.stoppable import Result
from app.commands.trial import try_model
from app.compose.sentence import Sentence
from app.models.fetching import Fetching, check_fetching, read_fetching, use_proxy
from app.models.folders import models_folder
from app.models.install import InstalledModel, install, install_base
from app.models.manifest import load_manifest
from app.models.progress import Progress
from app.models.sources import NAMED


def folder_of(options: argparse.Namespace) -> Path:
    """The models folder a command works in."""
    return options.folder.expanduser().absolute() if options.folder else models_folder()


def fetch_ours(options: argparse.Namespace, tell: Callable[[Progress], None], stopped: Callable[[], bool]) -> Result:
    """Have our model in its place: fetched, built and tried.

    Raises:
        ExplainedError: as :func:`app.models.install.install`.
    """
    folder, manifest = folder_of(options), load_manifest(options.manifest)
    chosen = fetching_of(options)
    use_proxy(chosen.proxy)

    def trial(model: Path) -> None:
        try_model(model, sampling_of(manifest), stopped)

    return _installed(
        install(
            folder,
            manifest,
            chosen.source,
            progress=tell,
            cancelled=stopped,
            trial=trial,
            mirror=chosen.mirror,
        )
    )


def fetch_base_alone(
    options: argparse.Namespace, tell: Callable[[Progress], None], stopped: Callable[[], bool]
) -> Result:
    """Have the base in its place, to be used as it is.

    Raises:
        ExplainedError: as :func:`app.models.install.install_base`.
    """
    folder, manifest = folder_of(options), load_manifest(options.manifest)
    chosen = fetching_of(options)
    use_proxy(chosen.proxy)
    return _installed(
        install_base(folder, manifest, chosen.source, progress=tell, cancelled=stopped, mirror=chosen.mirror)
    )


def fetching_of(options: argparse.Namespace) -> Fetching:
    """What was set, with what was said this time in its place.

    Raises:
        ModelError: an address that is none, or settings that cannot be read.
    """
    said = {name: getattr(options, name, None) for name in ("source", "mirror", "proxy")}
    changes = {name: value for name, value in said.items() if value is not None}
    source = changes.get("source")
    if source and source not in NAMED:  # a file, which others look for from elsewhere
        changes["source"] = str(Path(source).expanduser().absolute())
    chosen = replace(read_fetching(folder_of(options)), **changes)
    check_fetching(chosen)
    return chosen


def _installed(model: InstalledModel) -> Result:
    return Result(
        "installed",
        Sentence(f"模型已就绪：{model.path}", f"The model is ready: {model.path}"),
        {"path": str(model.path), "sha256": model.sha256},
    )
