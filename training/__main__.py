"""``python -m training STEP``: one step of making the model, from the command line."""

import argparse
import sys

from app.compose.sentence import ExplainedError
from training import (
    benchmark,
    check,
    choice,
    lora,
    loss,
    merge,
    pipeline,
    preference,
    prepare,
    publish,
    quantization_table,
    quantize,
    reading,
    samples,
    split,
    trim,
    trim_proof,
    verify,
    vocabulary,
)
from training.decision import command as decide
from training.evaluation import command as evaluate
from training.evaluation import report
from training.rating import command as rating
from training.study import command as study

TRAINING_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "safetensors",
    "accelerate",
    "matplotlib",
    "bm25s",
    "sklearn",
    "scipy",
    "jinja2",
)


def main() -> int:
    """Run the step named on the command line; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    subparsers = parser.add_subparsers(metavar="STEP", required=True)
    for step in (
        *(pipeline, check, split, vocabulary, prepare, lora, preference, merge, verify),
        *(trim, trim_proof, quantize, loss, quantization_table, samples, reading, choice, benchmark),
        *(evaluate, report, rating, decide, study, publish),
    ):
        step.add_parser(subparsers)
    args = parser.parse_args()
    # Every step may print Chinese, which not every system can in the encoding a file or a pipe gets there.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return int(args.run(args))
    except ExplainedError as error:
        print(f"{error.sentence.zh}\n{error.sentence.en}\n{error.detail}".rstrip(), file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name not in TRAINING_PACKAGES:
            raise
        print(
            f"这一步要用 {error.name}，还没装。请先运行 `python3 run.py training` 装好训练用的包。\n"
            f"This step needs {error.name}, which is not installed. `python3 run.py training` installs what training "
            "needs.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(
            "停下了。做完的都留着，再运行一次就接着来。\nStopped. What is done is kept; run again to go on.",
            file=sys.stderr,
        )
        return 130


if __name__ == "__main__":
    sys.exit(main())
