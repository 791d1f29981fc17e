"""What is asked in an evaluation: requests, and small changes of each that should not change the voice.

Another name of like kind, another year's animal, the facts in another order. A request is changed only where the change
means nothing else: 妈 is no name, and a 马 that plays on a fact about horses is no animal like another.
"""

import hashlib
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.compose.catalog import Catalog
from app.compose.request import ZODIAC, GreetingRequest
from training.reading import parse_request

# Common surnames (those of the 2020 census, but for animals of a year), and what may follow one in an address.
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖金贾"
    "夏韦付方邹熊孟秦邱江尹薛闫段雷侯史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤温康施文樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟申柳焦岑翁蔺"
    "甄温卜伍贝莫耿关丘费凌霍裴苗"
)
_COMPOUND_SURNAMES = "欧阳|司徒|上官|诸葛|尉迟|慕容|夏侯|令狐|司空|端木|东方|皇甫|公孙|宇文|南宫|呼延"
_TITLES = (
    "总|董|老板|经理|主任|书记|校长|院长|院|处长|处|科长|科|局长|局|厂长|所长|站长|队长|队|主编|总编|总监|总工|教授|老师|教练|"
    "先生|女士|师傅|师姐|师兄|师|大夫|医生|律师|博士|工|公|翁|老|君|兄|姐|哥|嫂|叔|姨|阿姨|伯|爷爷|奶奶|婆婆|同学|警官|司机|会计"
)
_GIVEN = (
    "思远海涛晓若云建华子涵嘉树书宁婉清兰芸雅琴怀瑾知夏一凡承泽立群静仪念之素心伯言季明彦博佳音德永采薇长卿"
    "谦雯楠棠欣怡文轩浩然俊杰婷芳敏玉梅丽娜志强国平"
)
_KIN_AFTER_A = "公婆爷奶嬷姨妈爸姆弟妹姐哥兄伯叔娘翁母父大"

# How an address is built around its name, and other names of that kind.
_KINDS = (
    (re.compile(rf"[小老]([{_SURNAMES}])(?:{_TITLES})?"), tuple("陈林周许何沈陆程")),
    (re.compile(rf"([{_SURNAMES}])(?:{_TITLES})"), tuple("陈林周许何沈陆程")),
    (re.compile(rf"({_COMPOUND_SURNAMES})(?:{_TITLES})?"), ("欧阳", "司徒", "慕容", "上官")),
    (re.compile(rf"阿([^{_KIN_AFTER_A}A-Za-z])"), tuple("宁青禾安澄")),
    (re.compile(rf"([{_GIVEN}]{{2}})兄?"), ("思宁", "若清", "知言", "书远")),
    (re.compile(r"([A-Z][a-z]+)(?:姐|哥|老师|先生|女士)?"), ("Alex", "Robin", "Chris")),
)


REQUESTS_FILE = "requests.jsonl"  # beside the outputs


@dataclass(frozen=True)
class Asked:
    """A request in one variation: "" as it is, ``name``, ``year`` or ``order``."""

    id: str
    variation: str
    request: GreetingRequest

    @property
    def job(self) -> tuple[str, str]:
        """As :attr:`training.evaluation.outputs.Output.job`."""
        return self.id, self.variation


def as_asked(lines: Iterable[Mapping[str, Any]], catalog: Catalog) -> list[Asked]:
    """The requests of a file's lines, as they are.

    Raises:
        RequestError: a line is no request.
    """
    return [Asked(str(fields["id"]), "", parse_request(fields, catalog)) for fields in lines]


def by_job(asked: Iterable[Asked]) -> dict[tuple[str, str], GreetingRequest]:
    """The requests by id and variation, to find what an output answers."""
    return {one.job: one.request for one in asked}


def sha256_of_requests(asked: Iterable[Asked]) -> str:
    """One hash (hex) of the requests as they are, in whatever order."""
    plain = sorted(json.dumps([one.id, asdict(one.request)]) for one in asked if not one.variation)
    return hashlib.sha256("\n".join(plain).encode()).hexdigest()


def with_variations(asked: Iterable[Asked]) -> list[Asked]:
    """Every request as it is, and after it the changes that apply to it."""
    return [one for each in asked for one in (each, *variations(each))]


def variations(asked: Asked) -> Sequence[Asked]:
    """The changes that apply to a request; which other name it gets, its id decides."""
    changed = {
        "name": _other_name(asked.request, random.Random(f"{asked.id}:name")),
        "year": _other_year(asked.request),
        "order": _other_order(asked.request),
    }
    return [Asked(asked.id, name, request) for name, request in changed.items() if request is not None]


def _other_name(request: GreetingRequest, generator: random.Random) -> GreetingRequest | None:
    matches = ((kind.fullmatch(request.address), names) for kind, names in _KINDS)
    found, names = next(((match, names) for match, names in matches if match), (None, ()))
    if found is None:
        return None
    name, (start, end) = found[1], found.span(1)
    others = [other for other in names if not set(other) & set(_said(request))]
    if not others:
        return None
    address = request.address[:start] + generator.choice(others) + request.address[end:]
    details = tuple(fact.replace(request.address, address) for fact in request.details)
    changed = replace(request, address=address, details=details)
    # A name that stands in a fact by itself is played with there.
    return None if any(character in _said(changed) for character in name) else changed


def _other_year(request: GreetingRequest) -> GreetingRequest | None:
    if not request.zodiac or request.zodiac in _said(request):
        return None
    following = ZODIAC.index(request.zodiac) + 1
    animals = ZODIAC[following:] + ZODIAC[: following - 1]
    return replace(request, zodiac=next(animal for animal in animals if animal not in _said(request)))


def _other_order(request: GreetingRequest) -> GreetingRequest | None:
    return replace(request, details=request.details[::-1]) if len(request.details) > 1 else None


def _said(request: GreetingRequest) -> str:
    """Everything a person typed."""
    return "".join((request.address, request.signature, *request.details))
