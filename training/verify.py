"""Step ``verify``: measure again, from base, adapter and corpus alone, the losses an adapter's facts claim.

Two figures: base and adapter as they were trained (torch, bfloat16), and the built file as people run it (llama.cpp).
"""

import argparse
import tempfile
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.vocabulary import read_vocabulary
from training.allocator import keep_memory
from training.errors import TrainingError
from training.progress import percent
from training.recipe import Adapter
from training.records import CORPUS, corpus_sha256, read_corpus, read_split

MODELS = Path(__file__).resolve().parents[1] / "models"
TOLERANCE = 0.01  # nats per token: other kernels, other machines


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("verify", help="measure an adapter's and a built model's loss again, and compare")
    parser.add_argument("--base", type=Path, help="the base; the one the program keeps if not given")
    parser.add_argument("--adapter", type=Path, default=MODELS / "adapter")
    parser.add_argument("--model", type=Path, help="the built file; the one the program built if not given")
    parser.add_argument("--vocabulary", type=Path, default=MODELS / "vocabulary.txt", help="the tokens it keeps")
    parser.add_argument("--whole-vocabulary", action="store_true", help="it keeps every token")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, compare, and print both; 1 where a figure is not what was claimed."""
    keep_memory()
    from app.models.folders import base_path, models_folder
    from app.models.manifest import load_manifest
    from app.models.verify import verify_model
    from training.adapter_folder import read_facts

    manifest = load_manifest()
    base = args.base or base_path(models_folder(), manifest.base)
    model = args.model or models_folder() / manifest.built.file
    facts = read_facts(args.adapter)
    if facts is None:
        raise TrainingError(
            Sentence(
                f"{args.adapter} 里没有 training.json，不知道该和什么数字比。请用 `python -m training all` 做出来的。",
                f"{args.adapter} has no training.json to compare with. Use what `python -m training all` made.",
            )
        )
    if facts["corpus_sha256"] != corpus_sha256(args.corpus):
        raise TrainingError(
            Sentence(
                "语料和训练时的不是同一份，损失没法比较。请换回训练时的语料，或重新训练。",
                "The corpus is not the one that was trained on, so losses cannot be compared. Take that corpus, or "
                "train again.",
            )
        )
    verify_model(base, sha256=facts["base"]["sha256"], progress=percent("base"))
    claimed = {"adapter": facts["validation_loss"], "built file": facts.get("built_loss")}
    found = {"adapter": _adapter_loss(args, base), "built file": _built_loss(args, model)}
    wrong = 0
    for name, loss in found.items():
        claim = claimed[name]
        agrees = claim is not None and abs(loss - claim) <= TOLERANCE
        wrong += not agrees
        said = "nothing claimed" if claim is None else f"claimed {claim:.4f}"
        print(f"{name}: {loss:.4f} nats per token, {said}: {'agrees' if agrees else 'DIFFERS'}")
    return 1 if wrong else 0


def _adapter_loss(args: argparse.Namespace, base: Path) -> float:
    """Of base and adapter in torch, over the vocabulary that is kept."""
    import json

    import torch

    from app.compose.catalog import load_catalog
    from app.models.adapter import CONFIG_FILE
    from training.adapter_folder import load_weights
    from training.examples import by_length, encode_records
    from training.network import attach_adapters, load_network, mean_loss
    from training.trim import trim

    catalog = load_catalog()
    records = read_split(args.corpus, read_corpus(args.corpus, catalog)).validation
    config = json.loads((args.adapter / CONFIG_FILE).read_text(encoding="utf-8"))
    shape = Adapter(
        rank=config["r"],
        alpha=config["lora_alpha"],
        first_layer=min(config.get("layers_to_transform") or [0]),
        modules=tuple(config["target_modules"]),
    )
    with tempfile.TemporaryDirectory(dir=base.parent) as folder:
        file = base
        if not args.whole_vocabulary:
            file = Path(folder) / "base.gguf"
            trim(base, file, read_vocabulary(args.vocabulary), percent("trimming"))
        examples = encode_records(file, records, catalog)
        network = attach_adapters(load_network(file, torch.device("cpu")), shape, 0)
    load_weights(args.adapter, network)
    return mean_loss(network, by_length(examples, 2048), progress=percent("adapter"))


def _built_loss(args: argparse.Namespace, model: Path) -> float:
    from app.compose.catalog import load_catalog
    from training.likelihood import measure

    catalog = load_catalog()
    records = read_split(args.corpus, read_corpus(args.corpus, catalog)).validation
    return measure(model, records, catalog, progress=percent("built file")).loss
