"""Step ``study``: what clean data is worth, in seven runs of as many steps each.

The whole, a half, a quarter and an eighth of the records; and as many records as the whole, of which a quarter, a half
and three quarters are poor. The whole is the training split, or as much of it as the steps pass through once: what no
step sees changes nothing. Each run is trained, merged to a GGUF file as any model of ours, and writes for the same
validation requests; ``study.json`` has what was measured, and two pictures show it. Killed at any moment and started
again, it goes on; a run that is done and unchanged is not done again.
"""

import argparse
from pathlib import Path

from training.allocator import keep_memory
from training.evaluation.pictures import draw_runs
from training.evaluation.runs import STUDY_FILE, read_study
from training.evaluation.write import MOST_SEEDS
from training.options import check_number
from training.recipe import add_recipe_arguments
from training.study.pipeline import Plan, carry_out, requests_of
from training.study.results import check_plan, measured, outside, summary, write_result
from training.workspace import Workspace


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("study", help="what clean data is worth: less of it, and poor records in it")
    add_recipe_arguments(parser)
    parser.add_argument("--steps", type=int, default=48, help="of every run, whatever the recipe's epochs (default 48)")
    parser.add_argument("--requests", type=int, default=42, help="validation requests written for (default 42)")
    parser.add_argument("--each", type=int, default=2, help="texts of every request (default 2)")
    parser.add_argument("--check", type=Path, metavar="OLD.json", help="an earlier study.json; the exit status is 1 "
                        "where a figure has left its interval")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what is not done, measure, write and draw; 1 where ``--check`` finds a figure outside its interval."""
    keep_memory()
    check_number("--steps", args.steps, 1)
    check_number("--requests", args.requests, 1)
    check_number("--each", args.each, 1, MOST_SEEDS)
    old = read_study(args.check) if args.check else None
    workspace = Workspace.of(args)
    plan = Plan(args.steps, args.requests, args.each)
    asked = requests_of(workspace, plan.requests)
    facts = {
        "corpus_sha256": workspace.corpus_sha256,
        "training_records": len(workspace.split.train),
        "steps": plan.steps,
        "requests": len(asked),
        "each": plan.each,
    }
    if old is not None:
        check_plan(args.check, old.facts, facts)
    with workspace.alone():
        done = carry_out(workspace, plan)
        runs = measured(done, asked, workspace.split.train)
        made = {"recipe": workspace.recipe.text, "base_sha256": workspace.base_sha256}
        write_result(workspace.folder / STUDY_FILE, runs, made | facts)
        pictures = draw_runs(runs, workspace.folder)
    print(summary(runs))
    for file in (workspace.folder / STUDY_FILE, *pictures):
        print(file)
    changes = outside(old.runs, runs) if old else []
    for change in changes:
        print(f"{change.zh} / {change.en}")
    return 1 if changes else 0
