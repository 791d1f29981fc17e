"""What is measured of corpus and trial: the manner asked for is recognised, one text for all is not, drift shows."""

import random
from collections.abc import Callable, Collection
from dataclasses import replace

import pytest

from app.compose.catalog import load_catalog
from tests.training.decision import letters
from training.decision import measures
from training.decision.corpus import Corpus, LabelledRequest, read_any_corpus, request_of
from training.decision.measures import TrialFigures, corpus_figures, readers_of, records_alike, trial_figures
from training.decision.rules import general_rules
from training.decision.trial import FEWEST, Trial, free_records
from training.errors import TrainingError
from training.evaluation.outputs import Output

pytestmark = pytest.mark.torch  # scikit-learn comes with the training packages


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    path = tmp_path_factory.mktemp("corpus") / "notes.jsonl"
    return read_any_corpus(letters.write(path, letters.records()), load_catalog())


def test_labels_that_show_in_the_wording_are_read_and_shuffled_ones_are_not(corpus: Corpus):
    readers, notes = readers_of(corpus, corpus.records)
    figures = corpus_figures(corpus, readers, notes)
    assert [label.field for label in figures.labels] == ["audience", "manner"]
    assert all(label.chance == 0.5 and label.agreement > 0.9 and label.values == 2 for label in figures.labels)
    values = [request_of(record).label("manner") for record in corpus.records]
    random.Random(0).shuffle(values)
    turned = [
        replace(record, request=replace(request_of(record), labels=(("manner", value),)))
        for record, value in zip(corpus.records, values, strict=True)
    ]
    readers, _ = readers_of(replace(corpus, labels=replace(corpus.labels, fields=("manner",))), turned)
    assert readers["manner"].cross_validated < 0.8


def test_one_label_and_rare_values_are_said(corpus: Corpus):
    lonely = [
        replace(record, request=replace(request_of(record), labels=(("manner", "gentle"),)))
        for record in corpus.records
    ]
    readers, notes = readers_of(replace(corpus, labels=replace(corpus.labels, fields=("manner",))), lonely)
    assert not readers and "one manner only (gentle)" in notes[0].en
    odd = replace(corpus.records[0], request=replace(request_of(corpus.records[0]), labels=(("manner", "odd"),)))
    readers, notes = readers_of(corpus, [*corpus.records, odd])
    assert "odd" not in readers["manner"].labels and "odd" in notes[0].en


def test_repeats_with_other_labels_are_counted(corpus: Corpus):
    first, second = corpus.records[0], next(r for r in corpus.records if request_of(r).label("manner") == "brisk")
    copies = (replace(first, id="a"), replace(second, id="b", text=first.text))
    figures = corpus_figures(
        replace(corpus, records=(*corpus.records[:1], *copies)), readers_of(corpus, corpus.records)[0], ()
    )
    by_field = {label.field: label for label in figures.labels}
    assert by_field["manner"].repeats == 3 and by_field["manner"].differing == 2


def test_openness_is_low_where_one_text_serves_for_all(corpus: Corpus):
    readers, _ = readers_of(corpus, corpus.records)
    same = replace(corpus, records=tuple(replace(record, text="今天全卖完，明早八点见。") for record in corpus.records))
    assert corpus_figures(same, readers, ()).openness == 0


def test_what_a_text_has_of_its_neighbours_is_looked_up_among_all_of_its_labels(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
):
    readers, _ = readers_of(corpus, corpus.records)
    # Each of the first half has its twin in the second half: no half of the records alone would show it.
    half = len(corpus.records)
    marks = [f"{chr(0x4E00 + 7 * number)}{chr(0x5E00 + 11 * number)}" * 3 for number in range(half)]
    texts = [replace(record, text=mark) for record, mark in zip(corpus.records, marks, strict=True)]
    doubled = replace(corpus, records=(*texts, *(replace(record, id=f"{record.id}b") for record in texts)))
    assert corpus_figures(doubled, readers, ()).openness == 0
    monkeypatch.setattr(measures, "COMPARED", 3)
    assert corpus_figures(doubled, readers, ()).openness == 0


def test_the_author_s_texts_have_the_labels_that_were_asked_for(corpus: Corpus):
    gentle = [request_of(record) for record in corpus.records if request_of(record).label("manner") == "gentle"]
    found = records_alike(corpus.records[::-1], gentle[:5])
    assert [request_of(record).labels for record in found] == [request.labels for request in gentle[:5]]
    assert len({record.id for record in found}) == 5
    guests = [request for request in gentle if request.label("audience") == "guest"]
    found = records_alike(corpus.records, guests * 2)  # more than there are: of what is left the likest
    assert len({record.id for record in found}) == len(guests) * 2
    rest = [request_of(record) for record in found[len(guests) :]]
    assert all(request.label("manner") == "gentle" or request.label("audience") == "guest" for request in rest)
    assert len(records_alike(corpus.records[:2], gentle[:5])) == 2


def trial_of(corpus: Corpus, text_of: Callable[[LabelledRequest, str], str]) -> Trial:
    """A trial whose one system writes so: for every fifth record twice, as it is and with another name."""
    asked, outputs = {}, []
    for record in corpus.records[::5]:
        for variation in ("", "name"):
            request = replace(request_of(record), address="阿哲" if variation else "")
            asked[record.id, variation] = request
            text = text_of(request, record.text)
            outputs += [Output("prompt", record.id, variation, seed, text, (), 9, 90, 0.5) for seed in (0, 1)]
    return Trial(asked, {"prompt": outputs}, None)


def measured(
    corpus: Corpus, text_of: Callable[[LabelledRequest, str], str], readable: Collection[str] = ("audience", "manner")
) -> TrialFigures:
    readers, _ = readers_of(corpus, corpus.records)
    rules = general_rules(corpus.labels.catalog)
    return trial_figures(trial_of(corpus, text_of), readers, rules, corpus.records, readable)


def test_what_is_written_in_the_manner_asked_for_is_recognised_and_steady(corpus: Corpus):
    figures = measured(corpus, lambda request, text: request.address + text)
    system = figures.systems["prompt"]
    assert system.passes.value == 1 and figures.author_passes == 1 and figures.rules_apart == 0.5
    assert system.recognised["manner"].value == 1 and system.recognised["audience"].value == 1
    assert system.flips is not None and system.flips.value == 0
    assert system.steady is not None and system.steady.value == 1


def test_one_text_for_everybody_is_recognised_half_the_time_and_known_for_the_models(corpus: Corpus):
    figures = measured(corpus, lambda request, text: "祝您和家里人万事如意，新年快乐。")
    system = figures.systems["prompt"]
    assert system.recognised["manner"].value == pytest.approx(0.5, abs=0.1)
    assert figures.told_apart > 0.9
    # Of texts as asked nothing is wrong: there is no name to say. Rules cannot tell them from the author's.
    assert system.passes.value == 1 and figures.rules_apart == 0.5


def test_a_manner_that_turns_with_the_name_is_drift(corpus: Corpus):
    other = {"gentle": "排好队别挤，账都在红包里！", "brisk": "天冷您加衣，账都在红包里，平安到家。"}
    figures = measured(corpus, lambda request, text: other[request.label("manner")] if request.address else text)
    system = figures.systems["prompt"]
    assert system.flips is not None and system.flips.value == 0.75  # the manner always, the audience of guests
    assert system.redrawn is not None and system.redrawn.value == 0 and system.drift == 0.75
    figures = measured(
        corpus, lambda request, text: other[request.label("manner")] if request.address else text, ["manner"]
    )
    assert figures.systems["prompt"].drift == 1


def test_labels_that_cannot_be_read_in_the_corpus_say_nothing_of_drift(corpus: Corpus):
    figures = measured(corpus, lambda request, text: request.address + text, ())
    assert figures.systems["prompt"].flips is None and figures.systems["prompt"].drift is None


def test_a_manner_that_turns_whenever_it_is_written_again_is_no_drift_of_the_change(corpus: Corpus):
    readers, _ = readers_of(corpus, corpus.records)
    trial = trial_of(corpus, lambda request, text: text)
    turned = {"gentle": "排好队别挤，账都在红包里！", "brisk": "天冷您加衣，账都在红包里，平安到家。"}
    manner = {id: request.label("manner") for (id, _), request in trial.asked.items()}
    outputs = [
        # Another manner with every text: under the change and without it.
        replace(one, text=turned[manner[one.request]]) if one.seed == (one.variation != "") else one
        for one in trial.outputs["prompt"]
    ]
    rules = general_rules(corpus.labels.catalog)
    figures = trial_figures(replace(trial, outputs={"prompt": outputs}), readers, rules, corpus.records, ["manner"])
    system = figures.systems["prompt"]
    assert system.flips is not None and system.flips.value == 1 and system.redrawn is not None
    assert system.redrawn.value == 1 and system.drift == 0


def test_records_that_answer_a_request_are_not_learned_from_and_too_few_are_refused(corpus: Corpus):
    first, second = (request_of(record) for record in corpus.records[:2])
    named = replace(second, address="阿哲")
    known = replace(corpus, usable=(*corpus.usable, replace(corpus.records[1], id="named", request=named)))
    free = free_records(known, {"notes:1": first, "any": second, "other": named})
    # Of labels alone many records answer a request, and only the one that it was made of has been seen.
    assert {record.id for record in known.usable} - {record.id for record in free} == {"notes:1", "named"}
    with pytest.raises(TrainingError) as caught:
        free_records(replace(corpus, usable=corpus.usable[: FEWEST - 1]), {})
    assert f"fewer than {FEWEST}" in caught.value.sentence.en
