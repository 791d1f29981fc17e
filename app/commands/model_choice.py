"""Which model file a command uses: the one named, else the one the person chose."""

from dataclasses import dataclass
from pathlib import Path

from app.compose.sentence import Sentence
from app.engine.protocol import Sampling
from app.models.built import recorded_hash
from app.models.errors import ModelError
from app.models.folders import models_folder
from app.models.inventory import chosen_model
from app.models.manifest import Manifest, load_manifest
from app.program import called


@dataclass(frozen=True)
class ModelChoice:
    """A model file, its hash if it is known, and how to draw from it."""

    path: Path
    sha256: str | None
    sampling: Sampling
    draw: int


def choose_model(named: Path | None) -> ModelChoice:
    """The model to open.

    Raises:
        ModelError: none is named and none is installed.
    """
    manifest = load_manifest()
    sampling = sampling_of(manifest)
    if named is not None:
        return ModelChoice(named, recorded_hash(named), sampling, manifest.sampling.draw)
    installed = chosen_model(models_folder(), manifest)
    if installed is None:
        raise ModelError(
            "model_missing",
            Sentence(
                f"模型还没有准备好，写不了祝福。请先运行 {called()} install（要下载约 1.1 GB，只有这一次）。",
                f"The model has not been prepared. Run {called()} install first (downloads about 1.1 GB, once).",
            ),
        )
    return ModelChoice(installed.path, installed.sha256, sampling, manifest.sampling.draw)


def sampling_of(manifest: Manifest) -> Sampling:
    """How our model is drawn from, as the engine is told it."""
    drawn = manifest.sampling
    return Sampling(temperature=drawn.temperature, top_p=drawn.top_p, min_p=drawn.min_p)
