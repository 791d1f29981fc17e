"""What a person sees as one character: a letter with its accents, a flag, a family of emoji.

The rules are those of Unicode Standard Annex #29 that a greeting can meet; scripts that join syllables are not among
them. ``unicodedata`` knows the categories, the ranges below what it does not say.
"""

import unicodedata

_JOINER = "\u200d"
_KEYCAP = "\u20e3"
_EMOJI_VARIATION = "\ufe0f"
# Blocks whose characters are pictures by default (Unicode 15); symbols of others are pictures when U+FE0F follows.
_PICTURES = ((0x1F000, 0x1FAFF), (0x2600, 0x27BF), (0x2B50, 0x2B55), (0x231A, 0x231B), (0x23E9, 0x23F3))
# Older symbols that are text unless a variation selector says otherwise, and that Chinese faces do have.
_TEXT_SYMBOLS = frozenset("★☆☎☏♀♂♠♡♢♣♤♥♦♧♨♩♪♫♬♭♯✓✔✕✖✗✘✝✞✡❀❁❂❃❄❅❆❖")


def clusters(text: str) -> list[str]:
    """``text`` cut into extended grapheme clusters; joined they are ``text`` again."""
    found: list[str] = []
    for character in text:
        if found and _continues(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def is_picture(cluster: str) -> bool:
    """Whether a cluster is an emoji, which text faces do not draw."""
    if _EMOJI_VARIATION in cluster or _KEYCAP in cluster:
        return True
    code = ord(cluster[0])
    return cluster[0] not in _TEXT_SYMBOLS and any(first <= code <= last for first, last in _PICTURES)


def _continues(cluster: str, character: str) -> bool:
    if cluster == "\r":
        return character == "\n"
    if cluster == "\n":
        return False
    code = ord(character)
    if unicodedata.category(character) in ("Mn", "Me", "Mc") or character == _JOINER:
        return True
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:  # skin tones; the tags of regional flags
        return True
    if cluster[-1] == _JOINER:
        return is_picture(character)
    return _is_regional(character) and _is_regional(cluster[-1]) and len(cluster) == 1


def _is_regional(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF
