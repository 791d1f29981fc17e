"""Step ``decide``: whether fine-tuning is the right answer, from five questions and, where there is a corpus, a trial.

    python -m training decide
    python -m training decide --answers answers.yaml --json
    python -m training decide --corpus FILE --requests FILE --base GGUF --html decision.html

A corpus alone answers what it can; requests beside it have the base write, and a short training, in minutes.
"""

import argparse
import json
import sys
from pathlib import Path

from app.compose.catalog import load_catalog
from app.compose.sentence import Sentence
from app.models.folders import base_path, models_folder
from app.models.manifest import load_manifest
from training.allocator import keep_memory
from training.decision.again import differences, read_decision
from training.decision.answers import Answers, answer_of, ask, read_answers
from training.decision.corpus import Corpus, read_any_corpus, read_any_requests
from training.decision.costs import UNKNOWN, costs
from training.decision.evidence import findings, readable
from training.decision.measures import corpus_figures, readers_of, trial_figures
from training.decision.page import page_html
from training.decision.questions import QUESTIONS, Answer
from training.decision.result import Result, as_json, as_text, pairs
from training.decision.rules import general_rules, guard_rules
from training.decision.systems import read_rules
from training.decision.trial import Plan, Trial, evaluated, free_records, run_trial, trial_name
from training.decision.verdict import decide
from training.errors import TrainingError
from training.evaluation.systems import no_model
from training.evaluation.write import MOST_SEEDS
from training.options import check_number
from training.part import spread
from training.recipe import ROOT
from training.whole_file import write_text

READ = 1500  # records a reader learns from: more change little and take long


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    plan = Plan()
    parser = subparsers.add_parser("decide", help="is fine-tuning the right answer? five questions, and a trial")
    said = parser.add_argument_group("answers, instead of being asked")
    said.add_argument("--answers", type=Path, help="a YAML file: " + ", ".join(each.id for each in QUESTIONS))
    for question in QUESTIONS:
        said.add_argument(f"--{question.id}", type=_answer, metavar="yes|no", help=question.asks.en)
    tried = parser.add_argument_group("a corpus of your own, and a trial on it")
    tried.add_argument("--corpus", type=Path, help="a JSONL file, or a folder of them; any labels")
    tried.add_argument(
        "--requests", type=Path, help="a JSONL file: what the base is to write, with the corpus's fields"
    )
    tried.add_argument("--outputs", type=Path, help="the folder of an `evaluate`, in place of a trial")
    tried.add_argument("--base", type=Path, help="a GGUF file (default: the app's base)")
    tried.add_argument(
        "--task", default=plan.task, help="what the texts are called, for the prompt, such as 给顾客的回复"
    )
    tried.add_argument(
        "--prompt",
        type=Path,
        help="a text file: the prompt you use, in place of our rules; examples and request follow",
    )
    tried.add_argument("--records", type=int, default=plan.records, help=f"trained on (default {plan.records})")
    tried.add_argument("--limit", type=int, default=plan.requests, help=f"requests (default {plan.requests})")
    tried.add_argument("--seeds", type=int, default=plan.seeds, help=f"texts of each (default {plan.seeds})")
    tried.add_argument("--without-tuning", action="store_true", help="prompt and retrieval only, without a training")
    tried.add_argument("--out", type=Path, help="the trial's folder (default: one of its own in runs/)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", type=Path, help="write a page, too")
    parser.add_argument(
        "--check",
        type=Path,
        metavar="OLD.json",
        help="what --json printed earlier; the exit status is 1 where a measured answer or figure is another",
    )
    parser.set_defaults(run=run)


def _answer(word: str) -> Answer:
    found = answer_of(word)
    if found is None:
        raise argparse.ArgumentTypeError(f"{word!r} is no answer; say yes, no or unsure")
    return found


def run(args: argparse.Namespace) -> int:
    """Ask, try, and say what is advised."""
    check_number("--records", args.records, 1)
    check_number("--limit", args.limit, 1)
    check_number("--seeds", args.seeds, 1, MOST_SEEDS)
    old = read_decision(args.check) if args.check else None
    said = _said(args)
    result = _measured(args, said) if args.corpus else Result(decide(said, (), (UNKNOWN,)), None, None, ())
    if args.html is not None:
        write_text(args.html, page_html(result))
    found = as_json(result)
    print(json.dumps(found, ensure_ascii=False, indent=1) if args.json else as_text(result))
    differing = differences(old, found) if old is not None else []
    for each in differing:
        print(f"{each.zh} / {each.en}", file=sys.stderr)
    return 1 if differing else 0


def _said(args: argparse.Namespace) -> Answers:
    """What the person says: on the command line, in the file, else at the terminal.

    Raises:
        TrainingError: there is nobody to ask, and nothing to measure.
    """
    given = "--requests" if args.requests else "--outputs" if args.outputs else ""
    if given and args.corpus is None:
        raise TrainingError(
            Sentence(
                f"只给了 {given}，没有 --corpus，没有可学可比的例子。请把语料也给上。",
                f"There is {given} and no --corpus, so no example to learn from or compare with. Give the corpus as "
                "well.",
            )
        )
    if args.outputs and args.prompt:
        raise TrainingError(
            Sentence(
                "--prompt 只在试写时用；--outputs 里的文字已经写好了。请去掉一个。",
                "--prompt is for a trial; the texts in --outputs are already written. Leave one of them out.",
            )
        )
    said = dict(read_answers(args.answers)) if args.answers else {}
    said |= {each.id: answer for each in QUESTIONS if (answer := getattr(args, each.id)) is not None}
    if not said and sys.stdin.isatty():
        said = ask(QUESTIONS, read=_typed, say=lambda line: print(line, file=sys.stderr))
    if not said and args.corpus is None:
        first = QUESTIONS[0].id
        raise TrainingError(
            Sentence(
                f"没有终端可以提问，也没有给答案和语料。请用 --answers 给一个 YAML 文件，"
                f"或写 --{first} yes 这样的参数，或用 --corpus 给一份语料。",
                "There is no terminal to ask at, and neither answers nor a corpus. Give a YAML file with --answers, "
                f"flags such as --{first} yes, or a corpus with --corpus.",
            )
        )
    return said


def _typed(prompt: str) -> str:
    # input() would ask on standard output, where --json is.
    print(prompt, end="", file=sys.stderr, flush=True)
    return input()


def _tried(args: argparse.Namespace, corpus: Corpus) -> Trial:
    requests = read_any_requests(args.requests, corpus.labels)
    base = (args.base or base_path(models_folder(), load_manifest().base)).resolve()
    if not base.is_file():
        raise no_model(base, "--base")
    keep_memory()
    rules = read_rules(args.prompt) if args.prompt else ""
    plan = Plan(args.records, args.limit, args.seeds, args.task, rules, not args.without_tuning)
    folder = args.out or ROOT / "runs" / trial_name(args.corpus, args.requests, base, plan)
    return run_trial(corpus, requests, base, folder.resolve(), plan)


def _measured(args: argparse.Namespace, said: Answers) -> Result:
    """What corpus and trial say, and the verdict with that."""
    corpus = read_any_corpus(args.corpus, load_catalog())
    trial = evaluated(args.outputs, corpus) if args.outputs else _tried(args, corpus) if args.requests else None
    requests = {id: request for (id, variation), request in trial.asked.items() if not variation} if trial else {}
    learned = spread(free_records(corpus, requests), READ)
    print(f"measuring {len(corpus.records)} records …", file=sys.stderr, flush=True)
    readers, notes = readers_of(corpus, learned)
    figures = corpus_figures(corpus, readers, notes)
    rules = guard_rules(corpus.labels.catalog) if corpus.labels.own else general_rules(corpus.labels.catalog)
    telling = {label.field for label in readable(figures.labels)}
    tried = trial_figures(trial, readers, rules, learned, telling) if trial else None
    spent = costs(figures, len(corpus.usable), trial.tuned if trial else None)
    verdict = decide(said, findings(figures, tried), tuple(spent))
    return Result(verdict, figures, tried, tuple(pairs(trial, corpus)) if trial else ())
