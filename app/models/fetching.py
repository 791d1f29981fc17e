"""How models are fetched: from where, over which mirror, through which proxy. What the person chose, kept as YAML.

The file lies in the models folder, so that the window and the command line do the same.
"""

import os
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.compose.sentence import Sentence
from app.models.errors import ModelError
from app.models.yaml_file import read_yaml, write_yaml

SYSTEM, DIRECT = "system", "none"  # settings of the proxy; any other is an address
_FILE = "fetching.yaml"
_OF_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Fetching:
    """``source`` is ``auto``, ``hub``, ``mirror``, ``index`` or the path of a file; ``mirror`` the address of a site
    that answers as the Hub does, "" for none; ``proxy`` is ``system``, ``none`` or the address of one."""

    source: str = "auto"
    mirror: str = ""
    proxy: str = SYSTEM


def read_fetching(folder: Path) -> Fetching:
    """What was chosen; the ordinary where nothing was.

    Raises:
        ModelError: ``settings_broken``: the file cannot be understood.
    """
    fetching: Fetching = read_yaml(Fetching, folder / _FILE, _broken, default=Fetching())
    check_fetching(fetching)
    return fetching


def write_fetching(folder: Path, fetching: Fetching) -> None:
    """Keep a choice.

    Raises:
        ModelError: it is unfit, or the disk refuses.
    """
    check_fetching(fetching)
    write_yaml(folder / _FILE, fetching)


def check_fetching(fetching: Fetching) -> None:
    """Refuse addresses that are none.

    Raises:
        ModelError: ``mirror_unfit`` or ``proxy_unfit``.
    """
    if fetching.mirror and not _is_address(fetching.mirror):
        raise ModelError(
            "mirror_unfit",
            Sentence(
                f"“{fetching.mirror[:80]}”不是镜像地址，没有保存。镜像地址以 https:// 或 http:// 开头，后面是主机名。",
                f"{fetching.mirror[:80]!r} is not the address of a mirror and was not kept: one begins with https:// "
                "or http://, then the name of a host.",
            ),
        )
    if fetching.proxy not in (SYSTEM, DIRECT) and not _is_address(fetching.proxy):
        raise ModelError(
            "proxy_unfit",
            Sentence(
                f"“{fetching.proxy[:80]}”不是代理地址，没有保存。只支持 HTTP 代理，写法如 http://127.0.0.1:7890。",
                f"{fetching.proxy[:80]!r} is not the address of a proxy and was not kept: HTTP proxies are supported, "
                "written like http://127.0.0.1:7890.",
            ),
        )


def use_proxy(proxy: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Have everything this process fetches from now on, and its children, go through a proxy, or through none.

    For the system's nothing changes: the libraries, pip among them, look for it themselves (urllib.request.getproxies).
    """
    if proxy == SYSTEM:
        return
    for name in _OF_PROXIES:
        environment.pop(name, None)
        environment.pop(name.lower(), None)
    if proxy == DIRECT:
        environment["NO_PROXY"] = environment["no_proxy"] = "*"
        return
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        environment[name] = environment[name.lower()] = proxy
    environment["PIP_PROXY"] = proxy  # which wins over what pip's own settings say


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0  # which raises for a number too large
    except ValueError:
        return False
    return named and parts.scheme in ("http", "https") and not re.search(r"\s", text)


def _broken(path: Path, clause: Sentence, detail: str) -> ModelError:
    return ModelError(
        "settings_broken",
        Sentence(
            f"下载设置 {path.name} 看不懂：{clause.zh}。请改好或删掉这个文件，删掉就用默认的来源和代理。",
            f"The download settings {path.name} make no sense: {clause.en}. Mend or delete the file; without it the "
            "ordinary source and proxy are used.",
        ),
        detail,
    )
