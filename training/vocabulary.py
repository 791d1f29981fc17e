"""Step ``vocabulary``: which of the base's tokens a trimmed model keeps; writes ``models/vocabulary.txt``.

Kept are all single bytes, so that anything at all can still be written and read; every token made of what Chinese
greetings are made of (the hanzi, punctuation and fullwidth forms of GB 2312, and emoji); what those characters and the
corpus are tokenized into; every other hanzi the base has a token for, as people are called 喆, 璟 or 陳; the special
tokens of a turn; and every token met while one of these is put together, so that they are put together as before. Free
places up to a multiple of 64, which llama.cpp's repacked kernels need, go to the lowest ids left.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.compose.catalog import load_catalog
from app.compose.prompt import user_message
from app.compose.request import make_request
from app.models.gguf_file import read_header
from app.models.verify import sha256_of
from app.models.vocabulary import write_vocabulary
from training.records import corpus_lines
from training.tokenizer import Tokenizer, token_bytes

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MULTIPLE = 64
_ROOT = Path(__file__).resolve().parents[1]

# Emoji and the signs they are put together with. Blocks, not the list of one Unicode version: new emoji appear in them.
_EMOJI = (
    *((0x200D, 0x200D), (0x20E3, 0x20E3), (0xFE0E, 0xFE0F), (0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x2190, 0x21FF)),
    *((0x2300, 0x23FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1FAFF)),
)


_HANZI = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF))  # the basic block and the extensions


def covered_characters() -> frozenset[str]:
    """Every character whose tokenization must stay as it is."""
    found = {" ", "\n"}
    for row in (1, 2, 3, *range(16, 88)):  # punctuation, numbering, fullwidth forms; hanzi of both levels
        for cell in range(1, 95):
            found.add(bytes((0xA0 + row, 0xA0 + cell)).decode("gb2312", errors="ignore"))
    found.update("—–…·“”‘’～•")  # as input methods type some of that punctuation
    for first, last in _EMOJI:
        found.update(map(chr, range(first, last + 1)))
    found.discard("")
    return frozenset(found)


def kept_tokens(tokenizer: Tokenizer, texts: Iterable[str], characters: frozenset[str]) -> list[int]:
    """The ids to keep, ascending.

    Args:
        texts: what must be tokenized as before, special tokens left out.
        characters: likewise each of these; a token made of nothing else is kept too.

    Raises:
        ValueError: the base lacks one of the special tokens of a turn.
    """
    missing = [special for special in SPECIALS if special not in tokenizer.tokens]
    if missing:
        raise ValueError(f"the base has no {', '.join(missing)}")
    kept = {tokenizer.tokens.index(special) for special in SPECIALS}
    for index, token in enumerate(tokenizer.tokens):
        try:
            raw = token_bytes(token)
            wanted = len(raw) == 1 or set(raw.decode("utf-8")) <= characters
        except (KeyError, UnicodeDecodeError):
            continue
        if wanted:
            kept |= {index} | tokenizer.token_derivation(index)
    for text in (*sorted(characters), *texts):
        kept |= tokenizer.derivation(text)
    others = (index for index in range(len(tokenizer.tokens)) if index not in kept)
    fill = [index for index, _ in zip(others, range(-len(kept) % MULTIPLE), strict=False)]
    return sorted(kept | set(fill))


def hanzi_with_a_token(tokenizer: Tokenizer) -> list[str]:
    """Every hanzi, of names and of traditional writing too, that the base reads as one token."""
    everything = (chr(point) for first, last in _HANZI for point in range(first, last + 1))
    return [hanzi for hanzi in everything if len(tokenizer.tokenize(hanzi)) == 1]


def corpus_texts(folder: Path) -> Iterator[str]:
    """Prompts and greetings of the corpus, one by one, as the model sees them."""
    catalog = load_catalog()
    fields = ("relationship", "tone", "occasion", "length", "address", "zodiac", "details", "signature")
    yield "user\n"
    yield "assistant\n"
    yield "system\n"
    for _, line in corpus_lines(folder):
        record = json.loads(line)
        yield "user\n" + user_message(make_request(catalog, {key: record.get(key) for key in fields}), catalog)
        yield record["text"]


def chosen_tokens(tokenizer: Tokenizer, corpus: Path) -> list[int]:
    """The ids a model for this corpus keeps, ascending."""
    texts = [*corpus_texts(corpus), *hanzi_with_a_token(tokenizer)]
    return kept_tokens(tokenizer, texts, covered_characters())


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("vocabulary", help="choose the tokens a trimmed model keeps")
    parser.add_argument("--base", type=Path, required=True, help="the base, a GGUF file")
    parser.add_argument("--corpus", type=Path, default=_ROOT / "training" / "corpus", help="folder of JSONL files")
    parser.add_argument("--out", type=Path, default=_ROOT / "models" / "vocabulary.txt")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the list and say how long it is."""
    tokenizer = Tokenizer(read_header(args.base).metadata)
    kept = chosen_tokens(tokenizer, args.corpus)
    head = (
        "The tokens of the base that a built model keeps, as ids and ranges of ids.",
        "Written by `python -m training vocabulary`; training/vocabulary.py says how they are chosen.",
        f"Base: {args.base.name}, SHA-256 {sha256_of(args.base)}",
        f"{len(kept)} of {len(tokenizer.tokens)} tokens",
    )
    write_vocabulary(args.out, kept, head)
    print(f"{args.out}: {len(kept)} of {len(tokenizer.tokens)} tokens")
    return 0
