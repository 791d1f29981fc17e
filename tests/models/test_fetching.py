"""The settings of fetching: kept, checked, and what a proxy means for everything that fetches."""

from pathlib import Path

import pytest

from app.models.errors import ModelError
from app.models.fetching import Fetching, read_fetching, use_proxy, write_fetching


def test_what_is_kept_is_read_and_nothing_is_the_ordinary(tmp_path: Path) -> None:
    assert read_fetching(tmp_path) == Fetching("auto", "", "system")
    chosen = Fetching("mirror", "https://mirror.example/hub", "http://127.0.0.1:7890")
    write_fetching(tmp_path / "new", chosen)
    assert read_fetching(tmp_path / "new") == chosen


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mirror": "mirror.example"}, "mirror_unfit"),
        ({"mirror": "ftp://mirror.example"}, "mirror_unfit"),
        ({"mirror": "https://"}, "mirror_unfit"),
        ({"mirror": "http://a:99999"}, "mirror_unfit"),
        ({"mirror": "https://mirror.example /hub"}, "mirror_unfit"),
        ({"proxy": ""}, "proxy_unfit"),
        ({"proxy": "127.0.0.1:7890"}, "proxy_unfit"),
        ({"proxy": "socks5://127.0.0.1:7890"}, "proxy_unfit"),
    ],
)
def test_what_is_no_address_is_neither_kept_nor_used(tmp_path: Path, changes: dict[str, str], code: str) -> None:
    with pytest.raises(ModelError) as error:
        write_fetching(tmp_path, Fetching(**changes))
    assert error.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_of_ones_own_takes_the_place_of_all_others() -> None:
    environment = {"http_proxy": "http://old", "ALL_PROXY": "socks5://old", "NO_PROXY": "localhost", "PATH": "/bin"}
    use_proxy("http://new:1", environment)
    named = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "PIP_PROXY"}
    assert environment == dict.fromkeys(named, "http://new:1") | {"PATH": "/bin"}


def test_no_proxy_is_no_proxy_and_the_systems_is_left_alone() -> None:
    environment = {"https_proxy": "http://old"}
    use_proxy("system", environment)
    assert environment == {"https_proxy": "http://old"}
    use_proxy("none", environment)
    assert environment == {"NO_PROXY": "*", "no_proxy": "*"}
