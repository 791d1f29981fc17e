"""Chinese punctuation: where a line may break around it, how much of it is air, and how it stands in vertical writing.

Sources: W3C, Requirements for Chinese Text Layout (CLREQ), 3.1; GB/T 15834-2011, 5.1 and 5.2.
"""

OPENING = frozenset("（《「『“‘〈【〔〖［｛([{￥＄$#＃")
CLOSING = frozenset("）》」』”’〉】〕〗］｝)]}")
PAUSES = frozenset("，。、；：！？,.;:!?")
LIGHT_PAUSES = frozenset("，、：,:")
NEVER_FIRST = CLOSING | PAUSES | frozenset("·・～~％%℃°/／")
NEVER_LAST = OPENING
PAIRED = frozenset("—…")  # each written twice, and never cut

# Marks half of whose square is air: after closing ones and pauses, before opening ones.
_AIR_AFTER = frozenset("，。、；：！？）》」』”’〉】〕〗］｝")
_AIR_BEFORE = frozenset("（《「『“‘〈【〔〖［｛")
# In vertical writing these stand in the middle of their square or fill it.
_FULL_WHEN_VERTICAL = frozenset("；：！？")
AIR = 0.5  # em

# Presentation forms (Unicode, Vertical Forms and CJK Compatibility Forms). Quotation marks become corner brackets, the
# double ones outside, as GB/T 15834 asks.
_VERTICAL_FORMS = str.maketrans(
    "，,、。：:；;！!？?…—–（()）｛｝〔〕【】〖〗《》〈〉「」『』［］“”‘’",
    "︐︐︑︒︓︓︔︔︕︕︖︖︙︱︲︵︵︶︶︷︸︹︺︻︼︗︘︽︾︿﹀﹁﹂﹃﹄﹇﹈﹃﹄﹁﹂",
)
TURNED = frozenset("～~-－＝=")  # no vertical form, but a direction


def air_before(mark: str) -> float:
    """How much of an opening mark's square is empty in front of it, in em; the same in both directions."""
    return AIR if mark in _AIR_BEFORE else 0.0


def air_after(mark: str, vertical: bool) -> float:
    """How much of a closing mark's square is empty behind it, in em."""
    return AIR if mark in _AIR_AFTER and not (vertical and mark in _FULL_WHEN_VERTICAL) else 0.0


def vertical_form(mark: str) -> str:
    """The mark as it is written in a column; whatever has no such form, itself."""
    return mark.translate(_VERTICAL_FORMS)


def may_break(before: str, after: str) -> bool:
    """Whether a line may end with the cluster ``before`` and the next begin with ``after``."""
    if before in NEVER_LAST or after in NEVER_FIRST:
        return False
    return not (before == after and before in PAIRED)
