"""Step ``prepare``: check base and corpus, choose the vocabulary, and write the base with only these tokens.

What is trained is this small file, so that training predicts among the very tokens people's machines will.
"""

import argparse

from app.compose.sentence import Sentence
from app.models.vocabulary import read_vocabulary, write_vocabulary
from training.errors import TrainingError
from training.progress import percent
from training.recipe import add_recipe_arguments
from training.tokenizer import Tokenizer
from training.trim import trim
from training.vocabulary import chosen_tokens
from training.whole_file import whole_file
from training.workspace import Workspace, forget_note, make_folder, read_note, write_note

_NOTE = "prepared.json"


def prepare(workspace: Workspace) -> None:
    """Do what is not done yet.

    Raises:
        ModelError, TrainingError: base, corpus or recipe are not what they should be, or the disk refuses.
    """
    header = workspace.check_base()
    _ = workspace.split
    make_folder(workspace.folder)
    if workspace.recipe.vocabulary == "whole":
        return
    identity = workspace.identity("prepare")
    note = workspace.folder / _NOTE
    if read_note(note).get("identity") == identity and workspace.base.is_file() and workspace.vocabulary.is_file():
        return
    try:
        kept = chosen_tokens(Tokenizer(header.metadata), workspace.recipe.corpus)
    except (ValueError, KeyError) as error:
        raise TrainingError(
            Sentence(
                "这个底座的分词器或特殊词元和 Qwen2 的不一样，没法裁剪词表。请在配方里写 vocabulary: whole。",
                "The base's tokenizer or its special tokens are not Qwen2's, and its vocabulary cannot be trimmed. Set "
                "vocabulary: whole in the recipe.",
            ),
            f"{workspace.recipe.base.file}: {error}",
        ) from error
    forget_note(note)  # from here on the two files may be of two corpora or bases
    file = workspace.recipe.base.file
    head = [f"Base: {file.name}, SHA-256 {workspace.base_sha256}", f"{len(kept)} tokens"]
    with whole_file(workspace.vocabulary) as part:
        write_vocabulary(part, kept, head)
    trim(file, workspace.base, read_vocabulary(workspace.vocabulary), percent("trimming"))
    write_note(note, {"identity": identity})


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("prepare", help="check base and corpus, trim the vocabulary")
    add_recipe_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prepare and say where."""
    workspace = Workspace.of(args)
    with workspace.alone():
        prepare(workspace)
    print(workspace.base)
    return 0
