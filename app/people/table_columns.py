"""What the columns of somebody's table mean, and which relationship or tone a cell names.

Both are guesses a person sees in the preview and can change: by the titles in the first row, in Chinese or English, and
where there are none by what is in the cells.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, get_args

from app.compose.catalog import Catalog, Choice

Meaning = Literal["name", "relationship", "address", "facts", "tone", "notes"]
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)
_LONGEST_LABEL = 40  # characters; a longer cell is no title and names no relationship
_ENOUGH = 0.5  # share of a column's cells that name something for the column to be taken for that

_TITLES: dict[Meaning, str] = {
    "name": "姓名 名字 名称 人名 联系人 收件人 收信人 客户姓名 客户名称 name fullname displayname contact "
    "person recipient to",
    "relationship": "关系 身份 类别 分类 分组 群组 relationship relation group category categories kind",
    "address": "称呼 称谓 尊称 昵称 怎么称呼 小名 address addressas salutation nickname callname honorific",
    "facts": "想提到的事 想提的事 提到的事 提到 近况 近事 细节 要点 事情 facts fact details detail mention "
    "news context",
    "tone": "语气 口吻 风格 tone style voice mood",
    "notes": "备注 说明 附注 注释 其他 note notes remark remarks comment comments memo",
}

_RELATIONSHIPS = {
    "parents": "爸爸 妈妈 爸 妈 父亲 母亲 爸妈 老爸 老妈 爹 娘 双亲 father mother dad mum mom mommy mama papa parent",
    "grandparents": "爷爷 奶奶 外公 外婆 姥姥 姥爷 祖父 祖母 外祖父 外祖母 爷奶 grandpa grandma grandfather "
    "grandmother "
    "grandparent",
    "in_laws": "岳父 岳母 公公 婆婆 丈人 丈母娘 岳父母 公婆 岳父岳母 公公婆婆 fatherinlaw motherinlaw inlaws",
    "elder_relatives": "叔叔 伯伯 伯父 伯母 姑姑 姑妈 姑父 舅舅 舅妈 姨妈 姨父 阿姨 婶婶 大伯 大姨 小姨 大舅 亲戚 长辈 "
    "uncle aunt auntie relative relatives elders",
    "sibling": "哥哥 姐姐 弟弟 妹妹 哥 姐 弟 妹 兄弟 姐妹 堂哥 堂姐 堂弟 堂妹 表哥 表姐 表弟 表妹 brother "
    "sister siblings "
    "cousin",
    "child": "儿子 女儿 孩子们 小孩 宝宝 侄子 侄女 外甥 外甥女 son daughter kid kids children nephew niece",
    "lover": "男朋友 女朋友 男友 女友 对象 情侣 boyfriend girlfriend partner lover",
    "spouse": "老公 老婆 丈夫 妻子 先生 太太 媳妇 配偶 husband wife spouse",
    "close_friend": "闺蜜 死党 好友 好朋友 铁哥们 哥们 发小 知己 bestfriend closefriend bff",
    "friend": "友人 普通朋友 网友 朋友们 friends buddy",
    "old_classmate": "同学 大学同学 高中同学 初中同学 小学同学 校友 室友 舍友 classmate classmates schoolmate "
    "roommate alumni",
    "boss": "老板 上司 上级 主管 经理 总监 总经理 主任 领导们 manager supervisor director leader chief",
    "senior": "师傅 导师 前辈们 学长 学姐 师兄 师姐 mentor senior",
    "colleague": "同仁 同僚 同事们 coworker colleagues workmate",
    "team": "团队成员 部门 小组 下属 全体同事 staff department",
    "client": "顾客 客人 甲方 买家 大客户 老客户 新客户 customer customers clients buyer account",
    "business_partner": "合作方 合伙人 供应商 伙伴 乙方 商业伙伴 businesspartner supplier vendor cooperation",
    "teacher": "班主任 教授 教练 恩师 师长 老师们 professor coach tutor teachers",
    "student": "徒弟 学员 门生 学生们 pupil students",
    "neighbor": "街坊 邻里 隔壁 物业 neighbour neighbours neighbors",
    "group": "群 微信群 朋友圈 大家 所有人 群聊 broadcast everyone all moments groupchat",
}

_TONES = {
    "formal": "正式 庄严 严肃 郑重 商务 official serious business polite",
    "warm": "温馨 亲切 真诚 暖心 温情 sincere kind heartfelt",
    "playful": "活泼 可爱 调皮 cute lively",
    "humorous": "搞笑 风趣 好笑 诙谐 funny humor humour",
    "poetic": "文艺 诗 诗歌 抒情 poem lyrical",
    "classical": "古风 文言 古典 典雅 classic ancient elegant",
    "concise": "简短 简单 精简 干练 short brief simple",
    "festive": "热闹 喜气 欢快 吉祥 joyful cheerful merry",
}


def title_meaning(cell: str) -> Meaning | None:
    """What a column with this title holds; None when that is not known."""
    key = label_key(cell)
    return next((meaning for meaning, titles in _TITLES.items() if key and key in titles.split()), None)


def relationship_ids(catalog: Catalog) -> dict[str, str]:
    """The relationship each known label names, by :func:`label_key`."""
    return _ids(catalog.relationships, _RELATIONSHIPS)


def tone_ids(catalog: Catalog) -> dict[str, str]:
    """The tone each known label names, by :func:`label_key`."""
    return _ids(catalog.tones, _TONES)


def named(cell: str, ids: dict[str, str]) -> str | None:
    """The id ``cell`` names as a whole, or, where it lists several labels, the first of them that names one."""
    if len(cell) > _LONGEST_LABEL:
        return None
    if found := ids.get(label_key(cell)):
        return found
    return next((found for part in re.split(r"[,，、;；/|+\n]", cell) if (found := ids.get(label_key(part)))), None)


def label_key(text: str) -> str:
    """A label as it is compared: width, case, spaces and punctuation aside."""
    folded = unicodedata.normalize("NFKC", text[: 2 * _LONGEST_LABEL]).casefold()
    return "".join(character for character in folded if character.isalnum())


def has_titles(cells: Sequence[str], catalog: Catalog) -> bool:
    """Whether a first row is titles: one of its cells is one, and none is a relationship or tone of somebody."""
    values = {**relationship_ids(catalog), **tone_ids(catalog)}
    known = [cell for cell in cells if title_meaning(cell)]
    return bool(known) and not any(label_key(cell) in values for cell in cells if cell not in known)


def by_titles(cells: Sequence[str]) -> tuple[Meaning | None, ...]:
    """The meaning of each titled column; the first of two with the same meaning has it."""
    found: list[Meaning | None] = []
    for cell in cells:
        meaning = title_meaning(cell)
        found.append(meaning if meaning not in found else None)
    return tuple(found)


def by_values(rows: Sequence[Sequence[str]], width: int, catalog: Catalog) -> tuple[Meaning | None, ...]:
    """The meaning of each column by its cells: who can be named by label is, the first other is the name.

    After it come the form of address, where cells are as short as one, and the facts, where they are not.
    """
    columns = [
        [row[index].strip() for row in rows if index < len(row) and row[index].strip()] for index in range(width)
    ]
    found: list[Meaning | None] = [None] * width
    labels: tuple[tuple[Meaning, dict[str, str]], ...] = (
        ("relationship", relationship_ids(catalog)),
        ("tone", tone_ids(catalog)),
    )
    for meaning, ids in labels:
        shares = [_share(cells, ids) if found[index] is None else 0.0 for index, cells in enumerate(columns)]
        best = max(range(width), key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= _ENOUGH and width > 1:
            found[best] = meaning
    for index, cells in enumerate(columns):
        if found[index] is not None or not cells:
            continue
        typical = sorted(map(len, cells))[len(cells) // 2]
        if "name" not in found:
            found[index] = "name"
        elif "address" not in found and "facts" not in found and typical <= 4:
            found[index] = "address"
        elif "facts" not in found:
            found[index] = "facts"
        elif "notes" not in found:
            found[index] = "notes"
    return tuple(found)


def _share(cells: Sequence[str], ids: dict[str, str]) -> float:
    return sum(named(cell, ids) is not None for cell in cells) / len(cells) if cells else 0.0


def _ids(choices: Sequence[Choice], synonyms: dict[str, str]) -> dict[str, str]:
    found = {label_key(label): id for id, labels in synonyms.items() for label in labels.split()}
    for choice in choices:
        for label in (choice.id, choice.zh, choice.en, *re.split(r"/| or | and ", choice.en), *choice.zh.split("/")):
            found[label_key(label)] = choice.id
    return found
