"""The base model for the training: fetched where a recipe looks for it, by the program's own code in its own Python.

``python -m app install`` fetches it too, but goes on to build the model, and fetches nothing where that is built.
"""

import subprocess
import sys
from pathlib import Path

from app.compose.sentence import Sentence
from setup_steps.launch import follow, program_environment
from setup_steps.terminal import lines

# Its arguments: a source, the languages to speak, and the recipe, if any.
_FETCH = """
import sys
from pathlib import Path
from filelock import FileLock
from app.commands.progress_bar import ProgressBar
from app.compose.sentence import ExplainedError
from app.models.fetching import read_fetching, use_proxy
from app.models.folders import base_path, models_folder
from app.models.manifest import load_manifest
from app.models.progress import Paced, report_of
from app.models.sources import fetch_base, tidy
from training.errors import TrainingError
from training.recipe import read_recipe

source, languages, *recipe = sys.argv[1:]
languages = languages.split(",")
base = load_manifest().base
installed = target = base_path(models_folder(), base)
if recipe:
    try:
        wanted = read_recipe(Path(recipe[0])).base
    except TrainingError:
        sys.exit()  # The step that reads it next says what is wrong with it.
    if wanted.file.name != base.file or wanted.sha256 not in (None, base.sha256):
        sys.exit()
    target = wanted.file
if target.is_file():
    sys.exit()
bar = ProgressBar(sys.stderr, languages[0])
paced = Paced(bar.show)
try:
    chosen = read_fetching(models_folder())
    use_proxy(chosen.proxy)
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / "install.lock"):  # The one an installation of the model holds.
        if not target.is_file():
            fetch_base(
                base,
                target.parent,
                str(installed) if installed.is_file() else source or chosen.source,
                report_of("download", paced.take),
                lambda: False,
                mirror=chosen.mirror,
            )
            paced.flush()
        tidy(base, target.parent)
except KeyboardInterrupt:
    sys.exit(130)
except ExplainedError as error:
    bar.close()
    said = [error.sentence.in_language(language) for language in languages]
    sys.exit("\\n".join(filter(None, [*said, error.detail])))
bar.close()
"""


def fetch_base(python: Path, root: Path, recipe: str | None, source: str | None) -> int:
    """Fetch the base that a recipe trains, if it is not there; returns an exit code.

    A recipe with another base than the shipped one's is left alone: where that comes from, the person knows.

    Args:
        python: the program's interpreter.
        root: the checkout.
        recipe: a recipe's file; None for the shipped one's base in the models' folder.
        source: ``auto``, ``hub``, ``mirror``, ``index`` or a file; None for the one that is set. Mirror and proxy are
            those that are set.
    """
    languages = ",".join(lines(Sentence("zh", "en"), sys.stderr))
    command = [str(python), "-P", "-c", _FETCH, source or "", languages, *([recipe] if recipe else [])]
    return follow(subprocess.Popen(command, env=program_environment(root)))
