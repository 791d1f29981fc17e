"""Makes the bundled fonts out of the published ones: keeps the characters a greeting can need, and renames the family.

Run it by hand when the corpus has new characters or a source font is newer; README.md beside it holds the command.
It needs fonttools, and nothing of this program. The same sources and the same fonttools give the same bytes.
"""

import argparse
import bz2
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# What a text can use besides Chinese: Latin with the accents of pinyin, punctuation, arrows, shapes, vertical and
# fullwidth forms. Whatever of it a source font does not have is left to the system's fonts, emoji above all.
BLOCKS = (
    (0x0020, 0x007E),
    (0x00A0, 0x017F),
    (0x01CD, 0x01DC),
    (0x02C0, 0x02DF),
    (0x2000, 0x206F),
    (0x20A0, 0x20BF),
    (0x2100, 0x218F),
    (0x2190, 0x21FF),
    (0x2200, 0x22FF),
    (0x2300, 0x23FF),
    (0x2460, 0x24FF),
    (0x2500, 0x27BF),
    (0x3000, 0x312F),
    (0x3220, 0x3243),
    (0xFE10, 0xFE1F),
    (0xFE30, 0xFE4F),
    (0xFF01, 0xFFEF),
)

# Given names and place names beyond every list below that people do type.
RARE_NAMES = (
    "㐂㐱㜣㝬䒟𠮷𢀖𣇉𣈶𬮤䶵䬠㚬㝵㝎㑺㕘㟧㠭㤅㥁㥯㦤㦂㦞㨗㨂㬢㬌㫤㫧㭴㮀㯋㯝㲀㳒㳺㴆㵄㵟㶑㷆㷍㷳㸅㺭㺷㺹㻂"
    "㻊㻎㻞㽘㽙㿥䀻䃮䇹䈎䉎䋎䌦䏌䒕䔲䕫䖟䘵䝉䞤䡖䣊䤎䧟䨒䨙䨱䨺䩉䫻䭰䮉䯂䯃䰟䲆䳒䴇䵻𤥃𤦹𤦬𤧥𤧞𤨢𤪊𣉙𣊫𣌀"
    "𣘗𥙿𡥧𡛟𡝭𠡠𠃊𬎆𪻐𪻨𫞂"
)

FEATURES = ["ccmp", "halt", "kern", "liga", "mark", "mkmk", "palt", "vert", "vhal", "vpal", "vrt2"]


@dataclass(frozen=True)
class Face:
    """One file to make.

    Args:
        option: the command line option that names its source.
        number: which face of a collection (``.ttc``) it is; Noto Sans CJK's third, number 2, is Simplified Chinese.
        complete: True for all of GBK, False for the common characters only.
        family, style, weight: the names and the weight (400 regular, 500 medium) the new file carries.
        description: what the file says about where it comes from.
    """

    option: str
    number: int
    complete: bool
    family: str
    style: str
    file: str
    description: str


FACES = (
    Face("regular", 2, True, "Bainian Sans", "Regular", "BainianSans-Regular.otf", "A subset of Noto Sans CJK SC"),
    Face("medium", 2, False, "Bainian Sans", "Medium", "BainianSans-Medium.otf", "A subset of Noto Sans CJK SC"),
    Face("kai", 0, False, "Bainian Kai", "Regular", "BainianKai-Regular.ttf", "A subset of LXGW WenKai"),
)


def double_byte(encoding: str, leads: Iterable[int], trails: Iterable[int]) -> set[str]:
    """The characters of a two-byte encoding, asked of Python's own codec."""
    trail_bytes = list(trails)
    decoded = (bytes([lead, trail]).decode(encoding, "ignore") for lead in leads for trail in trail_bytes)
    return {text for text in decoded if len(text) == 1}


def general_table(unihan: Path) -> set[str]:
    """The 8,105 characters of 通用规范汉字表 (2013), from the kTGH field of Unihan_OtherMappings.txt, plain or .bz2."""
    text = bz2.decompress(unihan.read_bytes()) if unihan.suffix == ".bz2" else unihan.read_bytes()
    rows = (line.split("\t") for line in text.decode("utf-8").splitlines())
    found = {chr(int(row[0][2:], 16)) for row in rows if len(row) == 3 and row[1] == "kTGH"}
    if len(found) != 8105:
        raise SystemExit(f"{unihan}: {len(found)} characters have a kTGH field, 8,105 were expected")
    return found


def written_here() -> set[str]:
    """Every character the corpus and the resources of this repository use."""
    files = [*ROOT.glob("training/corpus/*.jsonl"), *ROOT.glob("resources/**/*.yaml"), *ROOT.glob("resources/**/*.ts")]
    return {character for file in files for character in file.read_text(encoding="utf-8")}


def characters(unihan: Path, complete: bool) -> set[str]:
    """What a face keeps: all of GBK when ``complete``, else GB 2312 and Big5's common half; 通用规范汉字表 always."""
    kept = {chr(code) for first, last in BLOCKS for code in range(first, last + 1)}
    kept |= double_byte("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF))
    kept |= double_byte("big5", range(0xA1, 0xC7), [*range(0x40, 0x7F), *range(0xA1, 0xFF)])
    if complete:
        kept |= double_byte("gbk", range(0x81, 0xFF), range(0x40, 0xFF))
    return kept | general_table(unihan) | written_here() | set(RARE_NAMES)


def rename(font: TTFont, face: Face) -> None:
    """Gives the font its own names.

    The Open Font License asks it where a name is reserved ("LXGW", "霞鹜"), and a subset must not be taken for the full
    font on a machine that has both. Copyright, trademark and licence stay. Only English names: one family, one name.
    """
    names = font["name"]
    legal = {number: names.getDebugName(number) for number in (0, 5, 7, 13, 14)}
    postscript = f"{face.family.replace(' ', '')}-{face.style}"
    regular = face.style == "Regular"
    texts = legal | {
        1: face.family if regular else f"{face.family} {face.style}",
        2: "Regular",
        3: f"{postscript};{legal[5]}",
        4: f"{face.family} {face.style}",
        6: postscript,
        10: f"{face.description}, under its own name as its licence asks. Not the original font.",
    }
    if not regular:
        texts |= {16: face.family, 17: face.style}
    names.names = []
    for number, text in texts.items():
        if text:
            names.setName(text, number, 3, 1, 0x409)
    if "CFF " in font:
        top = font["CFF "].cff
        top.fontNames = [postscript]
        top.topDictIndex[0].FamilyName = face.family
        top.topDictIndex[0].FullName = f"{face.family} {face.style}"


def make(face: Face, source: Path, unihan: Path) -> None:
    """Writes one bundled font and prints its size and what of the program's own texts it lacks."""
    font = TTFont(source, fontNumber=face.number, recalcTimestamp=False, lazy=True)
    available = set(font.getBestCmap())
    wanted = {ord(character) for character in characters(unihan, face.complete)}
    options = subset.Options()
    options.hinting = False
    options.layout_features = FEATURES
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    options.notdef_outline = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted & available)
    subsetter.subset(font)
    rename(font, face)
    target = HERE / face.file
    font.save(target, reorderTables=False)
    lacking = "".join(sorted(text for text in written_here() if text.isprintable() and ord(text) not in available))
    print(f"{face.file}: {len(wanted & available):,} characters, {target.stat().st_size:,} bytes; lacks {lacking}")


def main() -> int:
    """Reads the paths of the sources and makes the faces that were given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unihan", type=Path, required=True, help="Unihan_OtherMappings.txt, or the same as .bz2")
    for face in FACES:
        parser.add_argument(f"--{face.option}", type=Path, help=f"the source of {face.file}")
    arguments = parser.parse_args()
    for face in FACES:
        source = getattr(arguments, face.option)
        if source is not None:
            make(face, source, arguments.unihan)
    return 0


if __name__ == "__main__":
    sys.exit(main())
