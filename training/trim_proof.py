"""Step ``prove-trim``: whether a trimmed model is the untrimmed one to anybody who writes greetings with it.

Three claims, each tried and counted:
* at every answer position of the held-out records both choose the same next token (greedily). Where the untrimmed
  file would choose a token that is no longer there, that is counted by itself: there its best kept token is compared;
* every prompt and greeting of the corpus is cut into the same pieces;
* any other text, Unicode drawn at random, still comes back from its tokens unchanged.

Which token is which is told by the texts in the two files, not by the list the one was trimmed with.
"""

import argparse
import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.compose.catalog import Catalog, load_catalog
from app.compose.sentence import Sentence
from app.models.verify import verify_model
from app.models.vocabulary import TOKENS
from training.errors import TrainingError
from training.part import add_part_arguments, chosen_records
from training.progress import percent
from training.quantize import quantize
from training.records import Record
from training.vocabulary import corpus_texts

if TYPE_CHECKING:
    from training.encoding import Encoder
    from training.footprint import Footprint
    from training.likelihood import Likelihood

STRINGS = 5000  # random texts
_SHOWN = 5  # failures of a kind printed in full
_BLOCKS = (
    *((0x20, 0x7E), (0x4E00, 0x9FFF), (0x0, 0x2FF), (0x300, 0x36F), (0x2000, 0x206F), (0x3000, 0x30FF)),
    *((0xAC00, 0xD7A3), (0xFE00, 0xFFFF), (0x1F1E6, 0x1F9FF), (0x0, 0xD7FF), (0xE000, 0x10FFFF)),
)


@dataclass(frozen=True)
class TrimProof:
    """What was compared, and each place where the trimmed file was found to differ, in words.

    Attributes:
        positions: answer positions compared.
        unkept: those where the untrimmed file's choice is a token that was dropped.
        choices: differences of choice, among the kept tokens where ``unkept``.
        texts: corpus texts tokenized; ``pieces``: the ones that differ.
        strings: random texts; ``lost``: the ones that do not come back.
    """

    positions: int
    unkept: int
    choices: tuple[str, ...]
    texts: int
    pieces: tuple[str, ...]
    strings: int
    lost: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not (self.choices or self.pieces or self.lost)


def prove(
    base: Path,
    trimmed: Path,
    records: Sequence[Record],
    texts: Sequence[str],
    catalog: Catalog,
    *,
    strings: int = STRINGS,
    threads: int | None = None,
    progress: Callable[[str], Callable[[int, int], None]] = percent,
) -> TrimProof:
    """Compare ``trimmed`` with the ``base`` it was made of.

    Args:
        records: whose answers are predicted.
        texts: what must be tokenized alike.
        strings: how many random texts to try.
        progress: for the name of a piece of work, what to call as it goes on.

    Raises:
        ModelError, TrainingError: a file cannot be used, or the one is not the other trimmed.
    """
    from training.encoding import Encoder
    from training.likelihood import measure

    kept = kept_ids(base, trimmed)
    with Encoder(base) as whole, Encoder(trimmed) as small:
        pieces = tuple(
            repr(text) for text in texts if whole.tokenize(text) != [kept[token] for token in small.tokenize(text)]
        )
        lost = tuple(repr(text) for text in random_texts(strings) if not _comes_back(small, text))
    before = measure(base, records, catalog, among=sorted(kept), threads=threads, progress=progress("untrimmed"))
    after = measure(trimmed, records, catalog, threads=threads, progress=progress("trimmed"))
    remaining = frozenset(kept)
    return TrimProof(
        positions=before.tokens,
        unkept=sum(token not in remaining for record in before.records for token in record.choices),
        choices=tuple(_differing_choices(before, after, kept)),
        texts=len(texts),
        pieces=pieces,
        strings=strings,
        lost=lost,
    )


def kept_ids(base: Path, trimmed: Path) -> tuple[int, ...]:
    """For each token of the trimmed file, its id in the base.

    Raises:
        ModelError: one of them is not a whole GGUF model.
        TrainingError: a token the base does not have.
    """
    ids = {text: index for index, text in enumerate(verify_model(base, sha256=None).metadata[TOKENS])}
    tokens = verify_model(trimmed, sha256=None).metadata[TOKENS]
    strange = next((token for token in tokens if token not in ids), None)
    if strange is not None:
        raise TrainingError(
            Sentence(
                f"{trimmed.name} 不是由 {base.name} 裁剪来的：它有原模型没有的词元。请核对两个文件。",
                f"{trimmed.name} is not {base.name} trimmed: it has a token the other does not. Check the two files.",
            ),
            repr(strange),
        )
    return tuple(ids[token] for token in tokens)


def _differing_choices(before: "Likelihood", after: "Likelihood", kept: Sequence[int]) -> Iterator[str]:
    """Records whose positions do not even correspond are named once."""
    for whole, small in zip(before.records, after.records, strict=True):
        if whole.tokens != small.tokens:
            yield f"{whole.id}: {whole.tokens} answer tokens untrimmed, {small.tokens} trimmed"
            continue
        for place, (expected, found) in enumerate(zip(whole.choices_among, small.choices, strict=True)):
            if kept[found] != expected:
                yield f"{whole.id}, token {place}: untrimmed {expected}, trimmed {kept[found]} (ids of the base)"


def random_texts(count: int, seed: int = 1) -> Iterator[str]:
    """Texts of up to 40 characters of Unicode, from blocks in use and from all of it; no lone surrogates."""
    draw = random.Random(seed)
    for _ in range(count):
        blocks = draw.choices(_BLOCKS, k=draw.randint(1, 40))
        yield "".join(chr(draw.randint(first, last)) for first, last in blocks)


def _comes_back(encoder: "Encoder", text: str) -> bool:
    return b"".join(encoder.pieces(encoder.tokenize(text))) == text.encode("utf-8")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser(
        "prove-trim", help="show that a trimmed model is the untrimmed one, and what it saves"
    )
    parser.add_argument("--base", type=Path, required=True, help="the untrimmed GGUF file")
    parser.add_argument("--trimmed", type=Path, required=True, help="the same, trimmed")
    parser.add_argument("--f16", action="store_true", help="compare both dequantized to F16, in temporary files")
    add_part_arguments(parser)
    parser.add_argument("--threads", type=int, help="one a processor if not given")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what was compared and what trimming saves; 1 where the files differ."""
    from training.footprint import footprints

    catalog = load_catalog()
    records = chosen_records(args, catalog)
    texts = list(corpus_texts(args.corpus))
    with _comparable(args) as (base, trimmed):
        proof = prove(base, trimmed, records, texts, catalog, threads=args.threads)
    print(f"{args.trimmed} and {args.base}{', both at F16' if args.f16 else ''}")
    _print_proof(proof, len(records), args.part)
    _print_savings(*footprints((args.base, args.trimmed), args.threads))
    return 0 if proof.holds else 1


@contextlib.contextmanager
def _comparable(args: argparse.Namespace) -> Iterator[tuple[Path, Path]]:
    """The two files, or their copies at F16 for as long as they are needed."""
    if not args.f16:
        yield args.base, args.trimmed
        return
    with tempfile.TemporaryDirectory(prefix="prove-trim-", dir=args.trimmed.absolute().parent) as folder:
        copies = Path(folder, "base.gguf"), Path(folder, "trimmed.gguf")
        for source, copy in zip((args.base, args.trimmed), copies, strict=True):
            quantize(source, copy, "F16", args.threads)
        yield copies


def _print_proof(proof: TrimProof, records: int, part: str) -> None:
    print(
        f"choices: {proof.positions - len(proof.choices):,} of {proof.positions:,} answer positions "
        f"({records} records, {part}) agree"
    )
    print(
        f"  at {proof.unkept:,} of them the untrimmed file's first choice is a token that was dropped; there its best "
        "kept one is compared"
    )
    print(f"pieces: {proof.texts - len(proof.pieces):,} of {proof.texts:,} corpus texts are cut alike")
    print(
        f"round trip: {proof.strings - len(proof.lost):,} of {proof.strings:,} random Unicode texts come back unchanged"
    )
    for failures in (proof.choices, proof.pieces, proof.lost):
        for failure in failures[:_SHOWN]:
            print(f"  {failure}")
        if len(failures) > _SHOWN:
            print(f"  and {len(failures) - _SHOWN:,} more")
    print("proved" if proof.holds else "NOT proved: the trimmed file differs")


def _print_savings(before: "Footprint", after: "Footprint") -> None:
    print(f"bytes: {after.bytes:,} of {before.bytes:,}, {after.bytes / before.bytes:.3f}")
    if before.resident and after.resident:
        print(
            f"resident memory: {after.resident / 1e6:,.0f} MB of {before.resident / 1e6:,.0f} MB, "
            f"{after.resident / before.resident:.3f}"
        )
    else:
        print("resident memory: not told by this system")
    print(
        f"tokens/s written: {after.tokens_per_second:.1f}, before {before.tokens_per_second:.1f}, "
        f"{after.tokens_per_second / before.tokens_per_second:.3f}"
    )
