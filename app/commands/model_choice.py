"""Which model file a command uses: the one named, else the one installed."""

from dataclasses import dataclass
from pathlib import Path

from app.compose.sentence import Sentence
from app.engine.protocol import Sampling
from app.models.built import find_built, recorded_hash
from app.models.errors import ModelError
from app.models.folders import models_folder
from app.models.manifest import load_manifest


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
    sampling = Sampling(
        temperature=manifest.sampling.temperature, top_p=manifest.sampling.top_p, min_p=manifest.sampling.min_p
    )
    if named is not None:
        return ModelChoice(named, recorded_hash(named), sampling, manifest.sampling.draw)
    built = find_built(models_folder(), manifest)
    if built is None:
        raise ModelError(
            "model_missing",
            Sentence(
                "模型还没有准备好，写不了祝福。请先运行 python3 run.py install（要下载约 1.1 GB，只有这一次）。",
                "The model has not been prepared. Run python3 run.py install first (downloads about 1.1 GB, once).",
            ),
        )
    return ModelChoice(built.path, built.sha256, sampling, manifest.sampling.draw)
