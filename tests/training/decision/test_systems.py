"""What the base is told: our rules or the person's, as many examples as there is room for, and no fewer than one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from tests.training.decision import letters
from training.decision.corpus import Corpus, read_any_corpus, request_of
from training.decision.systems import EXAMPLES, base_systems, read_rules
from training.errors import TrainingError
from training.records import Record

pytestmark = pytest.mark.torch  # the index comes with the training packages


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    path = tmp_path_factory.mktemp("corpus") / "notes.jsonl"
    return read_any_corpus(letters.write(path, letters.records()), load_catalog())


def told(base: Path, corpus: Corpus, records: Sequence[Record], rules: str = "") -> dict[str, str]:
    """The prompt of each system for the first record's request."""
    with base_systems(base, records, corpus.labels, "便条", rules) as systems:
        return {
            name: "".join(segment.text for segment in system.segments(request_of(corpus.records[0])))
            for name, system in systems.items()
        }


def shown(prompt: str, records: Sequence[Record]) -> list[str]:
    """The ids of the records whose texts stand in a prompt."""
    return [record.id for record in records if record.text in prompt]


def test_a_person_s_own_prompt_stands_in_place_of_the_generic_rules(tiny_base: Path, corpus: Corpus):
    for prompt in told(tiny_base, corpus, corpus.records).values():
        assert "照要求写一段便条" in prompt
    for prompt in told(tiny_base, corpus, corpus.records, "只写店里说得出口的话。").values():
        assert "只写店里说得出口的话。" in prompt and "照要求写" not in prompt
        assert len(shown(prompt, corpus.records)) == EXAMPLES


def long(record: Record, times: int) -> Record:
    return replace(record, text=f"{record.id}；" + record.text * times)


def test_of_long_texts_as_many_examples_are_shown_as_fit(tiny_base: Path, corpus: Corpus):
    counts = []
    for times in (1, 4, 12):
        records = [long(record, times) for record in corpus.records]
        for prompt in told(tiny_base, corpus, records).values():
            counts.append(len(shown(prompt, records)))
    assert counts[0] == counts[1] == EXAMPLES
    assert sorted(counts, reverse=True) == counts and all(0 < count < EXAMPLES for count in counts[-2:])


def test_texts_of_which_not_even_one_fits_are_said(tiny_base: Path, corpus: Corpus):
    records = [long(record, 400) for record in corpus.records]
    with pytest.raises(TrainingError) as caught:
        told(tiny_base, corpus, records)
    assert "The corpus's texts are too long" in caught.value.sentence.en and "太长" in caught.value.sentence.zh


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\xff", None])
def test_a_prompt_that_says_nothing_is_refused(tmp_path: Path, content: bytes | None):
    path = tmp_path / "mine.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        read_rules(path)
    assert "mine.txt" in caught.value.sentence.en
