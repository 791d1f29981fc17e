"""``python -m app models``: what models there are, fetched, taken in, checked, chosen and removed without a window.

With ``--json`` the lines are those of :mod:`app.commands.stoppable`. The last one is ``models`` (models: a list of
entries; fetching: the settings), ``installed`` (path, sha256), ``imported``, ``used`` or ``removed`` (id), ``verified``
(ids), ``set``, or ``error``.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from app.commands.fetch import fetch_base_alone, fetch_ours, fetching_of, folder_of
from app.commands.stoppable import Result, carry_out
from app.commands.trial import try_opening
from app.compose.sentence import Sentence
from app.models.errors import ModelError, megabytes
from app.models.fetching import read_fetching, write_fetching
from app.models.importing import import_model
from app.models.inventory import Entry, State, find_entry, list_entries, remove_entry, use_entry, verify_entry
from app.models.manifest import MANIFEST_FILE, load_manifest
from app.models.progress import Progress, Report, report_of

Tell = Callable[[Progress], None]
Stopped = Callable[[], bool]

_STATES = {
    State.READY: Sentence("可以用", "ready"),
    State.ABSENT: Sentence("没有下载", "not fetched"),
    State.BEGUN: Sentence("下载了一部分", "partly fetched"),
    State.STALE: Sentence("要重新生成", "to be built again"),
    State.BROKEN: Sentence("用不了", "cannot be used"),
}


def add_parser(subparsers: Any) -> None:
    """Add ``models`` to the program's commands."""
    parser = subparsers.add_parser("models", help="管理模型 (list, fetch, import, verify, remove)")
    actions = parser.add_subparsers(dest="action", required=True, metavar="{" + ",".join(_ACTIONS) + "}")
    for name, (_, about) in _ACTIONS.items():
        action = actions.add_parser(name, help=about, description=about)
        action.add_argument("--folder", type=Path, metavar="DIR", help="模型放在哪 (the models folder)")
        action.add_argument("--manifest", type=Path, default=MANIFEST_FILE, metavar="FILE", help="另一份模型清单")
        action.add_argument("--json", action="store_true", help="逐行打印 JSON (print JSON lines)")
        if name in ("fetch", "set"):
            action.add_argument("--source", metavar="auto|hub|mirror|index|FILE", help="从哪来 (where from)")
            action.add_argument("--mirror", metavar="URL", help="Hub 镜像的地址 (a mirror of the Hub)")
            action.add_argument("--proxy", metavar="system|none|URL", help="代理 (the proxy)")
        if name == "fetch":
            action.add_argument(
                "id", nargs="?", metavar="ID", help="哪一个，默认拜年模型 (default: the greeting model)"
            )
        elif name == "import":
            action.add_argument("file", type=Path, metavar="FILE", help="一个 GGUF 文件")
            action.add_argument(
                "--in-place", action="store_true", help="不复制，就地使用 (use the file where it lies, without a copy)"
            )
        elif name == "verify":
            action.add_argument("id", nargs="*", metavar="ID", help="默认全部 (default: all that are here)")
        elif name in ("use", "remove"):
            action.add_argument("id", metavar="ID")


def run(options: argparse.Namespace) -> int:
    """Do what was asked for. Returns 0, 1 when something is in the way, 130 when it was stopped."""
    act, _ = _ACTIONS[options.action]
    return carry_out(lambda tell, stopped: act(options, tell, stopped), as_json=options.json)


def _list(options: argparse.Namespace, tell: Tell, stopped: Stopped) -> Result:
    entries = list_entries(folder_of(options), load_manifest(options.manifest))
    lines = [(_line(entry, "zh"), _line(entry, "en")) for entry in entries]
    listed = Sentence("\n".join(zh for zh, _ in lines), "\n".join(en for _, en in lines))
    fetching = asdict(read_fetching(folder_of(options)))
    return Result("models", listed, {"models": [plain(entry) for entry in entries], "fetching": fetching})


def _fetch(options: argparse.Namespace, tell: Tell, stopped: Stopped) -> Result:
    manifest = load_manifest(options.manifest)
    wanted = options.id or manifest.built.id
    if wanted == manifest.built.id:
        return fetch_ours(options, tell, stopped)
    if wanted == manifest.base.id:
        return fetch_base_alone(options, tell, stopped)
    find_entry(folder_of(options), manifest, wanted)  # says so where there is none of that name
    raise ModelError(
        "not_fetchable",
        Sentence(
            f"{wanted} 是导入的模型，没有下载的地方。请用 import 再导入一次。",
            f"{wanted} was imported and cannot be fetched from anywhere. Import it again.",
        ),
    )


def _import(options: argparse.Namespace, tell: Tell, stopped: Stopped) -> Result:
    manifest = load_manifest(options.manifest)

    def trial(path: Path) -> None:
        try_opening(path, stopped)

    model, note = import_model(
        folder_of(options),
        options.file,
        copy=not options.in_place,
        reserved=frozenset((manifest.base.id, manifest.built.id)),
        report=report_of("import", tell),
        cancelled=stopped,
        trial=trial,
    )
    said = [Sentence(f"已导入：{model.title}（{model.id}）。", f"Imported: {model.title} ({model.id}).")]
    if not model.tuned:
        said.append(
            Sentence(
                "它没有为写祝福微调过，写出来会比拜年模型平淡。",
                "It is not tuned for greetings; what it writes will be plainer than the greeting model's.",
            )
        )
    said += [note] if note else []
    sentence = Sentence("".join(one.zh for one in said), " ".join(one.en for one in said))
    return Result("imported", sentence, {"id": model.id, "tuned": model.tuned})


def _verify(options: argparse.Namespace, tell: Tell, stopped: Stopped) -> Result:
    folder, manifest = folder_of(options), load_manifest(options.manifest)
    if options.id:
        entries = [find_entry(folder, manifest, id) for id in options.id]
    else:
        here = (State.READY, State.STALE, State.BROKEN)
        entries = [entry for entry in list_entries(folder, manifest) if entry.state in here]
    report = report_of("verify", tell)
    for entry in entries:
        sentence = Sentence(f"正在校验 {entry.title.zh}", f"Checking {entry.title.en}")
        verify_entry(entry, partial(_told, report, sentence), stopped)
    names = Sentence("、".join(one.title.zh for one in entries), ", ".join(one.title.en for one in entries))
    sentence = (
        Sentence(f"校验过了，完好无损：{names.zh}", f"Checked, whole and unchanged: {names.en}")
        if entries
        else Sentence("还没有模型可以校验。", "There is no model to check yet.")
    )
    return Result("verified", sentence, {"ids": [entry.id for entry in entries]})


def _told(report: Report, sentence: Sentence, done: int, total: int) -> None:
    report(done, total, sentence)


def _set(options: argparse.Namespace, tell: Tell, stopped: Stopped) -> Result:
    write_fetching(folder_of(options), fetching_of(options))
    return Result("set", Sentence("下载设置已保存。", "The download settings are kept."))


def _use(options: argparse.Namespace, tell: Tell, stopped: Stopped) -> Result:
    entry = use_entry(folder_of(options), load_manifest(options.manifest), options.id)
    return Result("used", Sentence(f"现在用的是：{entry.title.zh}", f"In use now: {entry.title.en}"), {"id": entry.id})


def _remove(options: argparse.Namespace, tell: Tell, stopped: Stopped) -> Result:
    entry = remove_entry(folder_of(options), load_manifest(options.manifest), options.id)
    kept = entry.copied
    return Result(
        "removed",
        Sentence(f"已移除：{entry.title.zh}", f"Removed: {entry.title.en}")
        if kept
        else Sentence(
            f"已移除：{entry.title.zh}。你的文件 {entry.path} 没有动。",
            f"Removed: {entry.title.en}. Your file {entry.path} was left alone.",
        ),
        {"id": entry.id},
    )


_ACTIONS: dict[str, tuple[Callable[[argparse.Namespace, Tell, Stopped], Result], str]] = {
    "list": (_list, "有哪些模型 (what models there are)"),
    "fetch": (_fetch, "下载，并生成拜年模型 (fetch, and build the greeting model)"),
    "import": (_import, "导入磁盘上的 GGUF 文件 (take in a GGUF file)"),
    "verify": (_verify, "逐字节校验 (read files to their end and check them)"),
    "set": (_set, "从哪下载、走什么代理 (where from, and through which proxy)"),
    "use": (_use, "换用一个模型 (choose the model in use)"),
    "remove": (_remove, "移除一个模型 (remove a model)"),
}


def plain(entry: Entry) -> dict[str, Any]:
    """An entry as JSON knows it: sentences as zh and en, paths and states as text."""

    def simple(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: simple(one) for key, one in value.items()}
        return value.value if isinstance(value, Enum) else str(value) if isinstance(value, Path) else value

    found: dict[str, Any] = simple(asdict(entry))
    return found


def _line(entry: Entry, language: str) -> str:
    zh = language == "zh"
    facts = [
        _STATES[entry.state].in_language(language),
        megabytes(entry.size),
        entry.license or ("许可证未注明" if zh else "licence not stated"),
        ("微调过" if zh else "tuned") if entry.tuned else ("没有微调" if zh else "not tuned"),
    ]
    mark = "*" if entry.in_use else " "
    line = f"{mark} {entry.id}  {entry.title.in_language(language)}  ({', '.join(facts)})"
    return line if entry.fault is None else f"{line}\n    {entry.fault.in_language(language)}"
