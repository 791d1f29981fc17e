"""Step ``publish``: put adapter, card and built file into a repository on the Hub. Without ``--yes`` it only says what
would be put there, and opens nothing on the network.

All files go in one commit: whoever looks sees the release before or this one. The token is huggingface_hub's own, from
``HF_TOKEN`` or ``hf auth login``; none is read or kept here.
"""

import argparse
import json
import os
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.adapter import WEIGHTS_FILE
from app.models.folders import models_folder
from app.models.manifest import load_manifest
from training.errors import TrainingError
from training.release import Release, read_release

ADAPTER = Path(__file__).resolve().parents[1] / "models" / "adapter"
_WRONG_TOKEN, _FORBIDDEN, _ABSENT = 401, 403, 404


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("publish", help="put adapter, card and built model on the Hub; a dry run by default")
    parser.add_argument("--repo", required=True, metavar="OWNER/NAME", help="made when it is not there yet")
    parser.add_argument("--adapter", type=Path, default=ADAPTER, help="a PEFT LoRA folder with its card")
    parser.add_argument("--model", type=Path, help="the built file; the one the program built if not given")
    parser.add_argument("--yes", action="store_true", help="upload; without it nothing is sent")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, show, and with ``--yes`` upload."""
    manifest = load_manifest()
    _check_name(args.repo)
    release = read_release(args.adapter, args.model or models_folder() / manifest.built.file, manifest)
    for file in release.files:
        print(f"{file.size:>13,}  {file.sha256}  {file.name}")
    where = _endpoint() or "the Hugging Face Hub"
    print(f"{release.size:>13,}  {len(release.files)} files for {args.repo} at {where}")
    if not args.yes:
        print(
            "以上只是预演：互相对得上，什么都没有上传。加 --yes 才上传。\n"
            "A dry run: they fit each other, and nothing was uploaded. --yes uploads."
        )
        return 0
    print(f"{upload(release, args.repo)}\n已发布。\nPublished.")
    return 0


def upload(release: Release, repo: str) -> str:
    """Send a release to ``repo``, which is made when it is not there, and return the address of the commit.

    Raises:
        TrainingError: no token, a refusal, or a broken line; in the repository nothing has changed then.
    """
    if _endpoint():
        # Xet stores files at a site that the mirror names, past the mirror itself. Read when the library is imported.
        os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    from huggingface_hub import CommitOperationAdd, HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError

    try:
        token = get_token()
        if token is None:
            raise _no_token()
        api = HfApi(endpoint=_endpoint(), token=token)
        api.create_repo(repo, exist_ok=True)
        operations = [CommitOperationAdd(file.name, file.path) for file in release.files]
        weights = next(file.sha256 for file in release.files if file.name == WEIGHTS_FILE)
        commit = api.create_commit(repo, operations, commit_message=f"Adapter {weights[:12]} and the model built of it")
        return commit.commit_url
    except TrainingError:
        raise
    except Exception as error:  # of httpx2, ssl, the library or the disk, which share no ancestor
        # What went wrong with one file of several comes wrapped.
        cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ is not None else error
        detail = f"{type(cause).__name__}: {cause}"
        if isinstance(cause, json.JSONDecodeError):
            raise _strange(detail) from error
        if isinstance(cause, ValueError):  # 400 is one too
            raise _rejected(detail) from error
        if isinstance(cause, HfHubHTTPError):
            raise _refused(repo, cause.response.status_code, detail) from error
        raise _broken_off(detail) from error


def _endpoint() -> str | None:
    """The mirror ``HF_ENDPOINT`` names, None for the Hub itself."""
    return os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or None


def _check_name(repo: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
        if "/" not in repo:
            raise HFValidationError("an owner is missing")
    except HFValidationError as error:
        raise TrainingError(
            Sentence(
                f"{repo[:100]!r} 不是仓库名，应写成 所有者/名字，如 someone/bainian-1.5b。",
                f"{repo[:100]!r} is not the name of a repository; write OWNER/NAME, such as someone/bainian-1.5b.",
            ),
            str(error),
        ) from error


def _no_token() -> TrainingError:
    return TrainingError(
        Sentence(
            "没有找到 Hugging Face 的令牌，没法上传。请先运行 `hf auth login`，或设环境变量 HF_TOKEN，令牌要有写权限。",
            "No Hugging Face token was found, so nothing can be uploaded. Run `hf auth login` first, or set the "
            "environment variable HF_TOKEN; the token must be allowed to write.",
        )
    )


def _refused(repo: str, status: int, detail: str) -> TrainingError:
    zh, en = {
        _WRONG_TOKEN: (
            "令牌不对或已过期，请用 `hf auth login` 换一个有写权限的",
            "the token is wrong or has expired; get one that may write with `hf auth login`",
        ),
        _FORBIDDEN: (
            f"这个令牌不能写 {repo}，请换一个有写权限的，或换成你自己的仓库",
            f"this token may not write to {repo}; use one that may, or a repository of yours",
        ),
        _ABSENT: (f"那里没有 {repo}，也建不了，请检查所有者的名字", f"there is no {repo}; check the owner's name"),
    }.get(status, ("它暂时不正常，过一会儿再试", "it is not well, try again later"))
    return TrainingError(
        Sentence(
            f"模型站没有收下（HTTP {status}）：{zh}。仓库里什么都没有变。",
            f"The Hub did not take it (HTTP {status}): {en}. Nothing in the repository has changed.",
        ),
        detail,
    )


def _rejected(detail: str) -> TrainingError:
    return TrainingError(
        Sentence(
            "模型站看过之后不肯收，多半是说明卡开头的信息写得不对。仓库里什么都没有变；请照详情改好，再运行一次。",
            "The Hub looked at it and would not take it, most likely for what the card says at its head. Nothing in "
            "the repository has changed; correct it by the details below and run again.",
        ),
        detail,
    )


def _strange(detail: str) -> TrainingError:
    return TrainingError(
        Sentence(
            "对面的回答不像模型站的：HF_ENDPOINT 可能写错了，或者网络要求先登录。没有上传；检查之后再运行一次。",
            "What answered does not speak as the Hub does: HF_ENDPOINT may be wrong, or the network wants a login "
            "first. Nothing was uploaded; check both and run again.",
        ),
        detail,
    )


def _broken_off(detail: str) -> TrainingError:
    return TrainingError(
        Sentence(
            "上传中断了，试了几次都没有接上。仓库里不会只有一半：要么还是原样，要么已全部换好。已经传完的大文件不用再传；"
            "网络好了再运行一次。",
            "The upload broke off, and several attempts to go on failed. The repository is never left half-changed: it "
            "is as it was, or complete. Large files that arrived need not be sent again; run again when the network is "
            "well.",
        ),
        detail,
    )
