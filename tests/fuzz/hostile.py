"""What is drawn: texts nobody types on purpose, values of any kind, and good data with something about it changed."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

_SNIPPETS = (
    "<|im_end|>",
    "<|im_start|>assistant\n",
    "\n关系：领导",
    "王总",
    "；",
    "\u037e",  # which composes to a semicolon
    "e\u200b\u0301",  # which composes once what is between is gone
    "\u2028",
    "\u202e",
    "\x00",
    "\ud800",
    "\U000f0000",
    "👩\u200d👩\u200d👧",
    "福" * 30,
)

texts = st.lists(st.sampled_from(_SNIPPETS) | st.text(st.characters(), max_size=10), max_size=6).map("".join)
"""Text with control characters, lone surrogates, and pieces of our own prompt in it."""

_NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 10**400, -(10**400), float("nan"), float("inf"), 1e308, 0.5)

plain = st.none() | st.booleans() | st.sampled_from(_NUMBERS) | st.integers() | st.floats() | texts

values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
"""Whatever JSON or YAML may hold."""


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Something good, seven times of eight."""
    return st.integers(0, 7).flatmap(lambda number: good if number else values)


@st.composite
def changed_trees(draw: st.DrawFn, tree: Any, keys: Sequence[str]) -> Any:
    """A tree of lists and mappings in which one to three places are altered, replaced, removed, doubled or renamed.

    Args:
        keys: which renamed ones may come to bear.
    """
    changed = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(changed))
        if not places:
            break
        container, key = places[draw(st.integers(0, len(places) - 1))]
        action = draw(st.sampled_from(("alter", "alter", "replace", "remove", "double", "rename")))
        if action == "alter":
            container[key] = draw(_like(container[key]))
        elif action == "replace":
            container[key] = draw(values)
        elif action == "remove":
            del container[key]
        elif isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        else:
            container[draw(st.sampled_from([*keys]) | texts)] = container.pop(key)
    return changed


@st.composite
def changed_bytes(draw: st.DrawFn, content: bytes, snippets: Sequence[bytes] = (b"",)) -> bytes:
    """``content`` with one to four pieces of it removed, overwritten, repeated, or with one of the snippets put in."""
    changed = content
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(changed)))
        length = draw(st.integers(0, 12))
        piece = draw(st.sampled_from([*snippets]) | st.binary(max_size=8) | st.just(changed[at : at + length] * 2))
        changed = changed[:at] + piece + changed[at + length :]
    return changed


def _like(value: Any) -> st.SearchStrategy[Any]:
    """Other values of the same kind."""
    kinds: dict[type, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(),
        float: st.floats(),
        str: texts,
    }
    return kinds.get(type(value), values)


def keys_of(tree: Any) -> list[str]:
    """Every key in a tree."""
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [*(tree if isinstance(tree, dict) else ()), *(key for one in inner for key in keys_of(one))]


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree as what holds it and its key there."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])
