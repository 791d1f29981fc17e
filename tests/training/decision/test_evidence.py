"""What figures say to the questions: each answer turns where its bar is."""

from dataclasses import replace

import pytest

from app.compose.sentence import Sentence
from training.decision.evidence import LEAST_REPEATS, findings, likeness
from training.decision.measures import CorpusFigures, LabelFigures, SystemFigures, TrialFigures
from training.decision.questions import Answer
from training.evaluation.bootstrap import Estimate

TONE = LabelFigures("tone", values=4, chance=0.25, accuracy=0.75, repeats=10, differing=0)
CORPUS = CorpusFigures(records=400, combinations=8, labels=(TONE,), openness=0.8, notes=())


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1)


def system(passes: float = 0.8, tone: float = 0.4, flips: float | None = 0.4, redrawn: float = 0.0) -> SystemFigures:
    turned = None if flips is None else estimate(flips)
    recognised = {"tone": estimate(tone)}
    return SystemFigures(estimate(passes), recognised, estimate(0.3), turned, estimate(redrawn), 600.0, 2.0)


TRIAL = TrialFigures(
    requests=16,
    systems={"prompt": system(), "rag": system(tone=0.5), "tuned": system(tone=0.7, flips=0.1)},
    author_passes=0.95,
    told_apart=0.95,
    rules_apart=0.6,
)


def answers(corpus: CorpusFigures = CORPUS, trial: TrialFigures | None = TRIAL) -> dict[str, Answer]:
    return {finding.question: finding.answer for finding in findings(corpus, trial)}


def test_a_base_that_can_and_does_not_sound_like_it_speaks_for_training():
    assert answers() == {
        "sound": Answer.YES,
        "consistency": Answer.UNSURE,
        "taste": Answer.YES,
        "examples": Answer.YES,
        "awkward": Answer.YES,
    }


def with_systems(**systems: SystemFigures) -> TrialFigures:
    return replace(TRIAL, systems={**TRIAL.systems, **systems})


@pytest.mark.parametrize(
    ("question", "corpus", "trial"),
    [
        ("sound", CORPUS, with_systems(prompt=system(passes=0.4))),
        ("sound", CORPUS, with_systems(prompt=system(tone=0.7))),
        ("taste", replace(CORPUS, labels=(replace(TONE, accuracy=0.35),)), TRIAL),
        ("taste", replace(CORPUS, labels=(replace(TONE, differing=2),)), TRIAL),
        ("taste", replace(CORPUS, openness=0.4), TRIAL),
        ("examples", CORPUS, replace(TRIAL, told_apart=0.7)),
        ("examples", CORPUS, replace(TRIAL, rules_apart=0.85)),
        ("awkward", CORPUS, with_systems(rag=system(tone=0.7, flips=0.1))),
        # It turns under a change, and as often when the same is written again: the change is not what turns it.
        ("awkward", CORPUS, with_systems(rag=system(tone=0.7, flips=0.4, redrawn=0.3))),
        ("awkward", CORPUS, with_systems(rag=system(tone=0.7, flips=None))),  # nothing was changed
    ],
)
def test_each_answer_turns_at_its_bar(question: str, corpus: CorpusFigures, trial: TrialFigures):
    found = findings(corpus, trial)
    assert next(each.answer for each in found if each.question == question) is Answer.NO


def test_likeness_is_what_of_the_corpus_is_recognised_beyond_chance():
    assert likeness(CORPUS, system(tone=0.75)) == pytest.approx(1.0)
    assert likeness(CORPUS, system(tone=0.5)) == pytest.approx(0.5)
    assert likeness(CORPUS, system(tone=0.25)) == pytest.approx(0.0)
    assert likeness(CORPUS, system(tone=0.95)) == 1.0 and likeness(CORPUS, system(tone=0.05)) == 0.0


def because(question: str, corpus: CorpusFigures = CORPUS, trial: TrialFigures = TRIAL) -> Sentence:
    return next(finding.because for finding in findings(corpus, trial) if finding.question == question)


def test_few_near_repeats_do_not_say_that_labels_are_not_agreed_on():
    few = replace(CORPUS, labels=(replace(TONE, repeats=LEAST_REPEATS - 1, differing=LEAST_REPEATS - 1),))
    assert answers(few)["taste"] is Answer.YES
    assert f"fewer than {LEAST_REPEATS}" in because("taste", few).en and "9 对" in because("taste", few).zh
    enough = replace(CORPUS, labels=(replace(TONE, repeats=LEAST_REPEATS, differing=LEAST_REPEATS),))
    assert answers(enough)["taste"] is Answer.NO


def test_where_nothing_was_changed_drift_is_a_dash_and_the_difference_is_told_where_it_was():
    dashed = because("awkward", trial=with_systems(prompt=system(flips=None)))
    assert "提示词像 30%、走样 —、" in dashed.zh and "prompt: 30% like, drift —," in dashed.en
    told = because("awkward", trial=with_systems(prompt=system(flips=0.5, redrawn=0.2)))
    assert "走样 30%（改动后 50%，原样重写 20%）" in told.zh
    assert system(flips=0.2, redrawn=0.5).drift == 0.0


def test_a_generic_prompt_is_said_to_be_one():
    for question in ("sound", "awkward"):
        assert "--prompt" not in because(question).en
        generic = because(question, trial=replace(TRIAL, generic_prompt=True))
        assert "generic prompt" in generic.en and "通用的提示词" in generic.zh


def test_agreement_beyond_chance_is_called_kappa():
    assert "kappa 0.67" in because("taste").zh and "kappa 0.67" in because("taste").en


def test_a_label_nobody_can_read_in_the_corpus_is_no_yardstick():
    blind = replace(CORPUS, labels=(replace(TONE, accuracy=0.3),))
    assert likeness(blind, system()) is None
    assert set(answers(blind)) == {"consistency", "taste", "examples"}


def test_without_labels_or_a_trial_nothing_is_said_of_them():
    assert answers(trial=None) == {"taste": Answer.YES}
    assert answers(replace(CORPUS, labels=()), None) == {}


def test_every_finding_has_its_figures_and_its_bar_in_both_languages():
    for finding in findings(CORPUS, TRIAL):
        figures = [word for word in finding.because.en.replace(",", " ").split() if any(map(str.isdigit, word))]
        assert len(figures) > 1 and any(map(str.isdigit, finding.because.zh))
