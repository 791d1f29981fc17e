"""The five questions, what a yes to each means, and what to do first where the answer is no."""

from dataclasses import dataclass
from enum import Enum

from app.compose.sentence import Sentence

ENOUGH = 3  # yeses, for fine-tuning


class Answer(Enum):
    """What a person says, or a measurement."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Question:
    """One of the five.

    Attributes:
        id: in files and flags.
        asks: answered by yes or no.
        means: why a yes speaks for fine-tuning.
        instead: what is worth trying first where the answer is no.
    """

    id: str
    asks: Sentence
    means: Sentence
    instead: Sentence


SOUND = Question(
    "sound",
    Sentence(
        "要写的东西它会写，只是写得不像？（内容对得上，味道不对，答“是”；内容就写不对，或者已经像了，答“否”）",
        "Can the model do it, and only does not sound like it? (yes: the content is right and the manner is not; no: "
        "the content is wrong, or the manner is right already)",
    ),
    Sentence(
        "微调改的是模型默认怎么说，不是它知道什么。",
        "Fine-tuning changes what a model says by default, not what it knows.",
    ),
    Sentence(
        "内容都写不对：换大一点的底座，把要用的资料放进提示词，或把任务拆小。已经写得像：就用提示词，别训练。",
        "Where the content is wrong: a larger base, the facts in the prompt, or smaller tasks. Where it sounds right "
        "already: keep the prompt and train nothing.",
    ),
)
CONSISTENCY = Question(
    "consistency",
    Sentence(
        "每一次都要是同一个声音，这件事要紧吗？（换个名字就换了腔调，会有人在意）",
        "Does it matter that it is the same voice every time? (somebody would mind if another name changed the manner)",
    ),
    Sentence(
        "提示词里的风格要每次重新请求，微调过的是默认的。",
        "A prompt has to ask for a style every time; a fine-tuned model has it by default.",
    ),
    Sentence(
        "只用一两次，或者有人逐条改：多写几条挑一条，比训练省事。",
        "For a few texts, or where somebody edits each: draw several and choose. That is less work than training.",
    ),
)
TASTE = Question(
    "taste",
    Sentence(
        "好坏没有标准答案，可懂的人看法大体一致？",
        "Is there no one right answer, and do people who know nevertheless mostly agree which is good?",
    ),
    Sentence(
        "大家一致，例子里就有东西可学；没有标准答案，就写不成检查规则。",
        "Where judges agree, examples hold something to learn; where no answer is the only one, no rule can check it.",
    ),
    Sentence(
        "有标准答案：用规则、工具或检索。看法不一致：先把标签和例子理到一致，否则学到的是争论。",
        "Where there is one right answer: rules, tools, retrieval. Where judges differ: first agree on labels and "
        "examples, or the model learns the quarrel.",
    ),
)
EXAMPLES = Question(
    "examples",
    Sentence(
        "手里有没有一批明显更好的例子，好在哪里却写不成规则？",
        "Are there examples that are clearly better, and is it impossible to write down as rules what makes them so?",
    ),
    Sentence(
        "写得成规则的放进提示词就行；写不成的，只能从例子里学。",
        "What can be written as rules belongs in the prompt; the rest can only be learned from examples.",
    ),
    Sentence(
        "没有例子：先亲手写几十条，写得出来再谈训练。规则说得清：写进提示词，用程序检查。",
        "Without examples: write some dozens by hand first. Where rules say it: put them in the prompt and check them "
        "by program.",
    ),
)
AWKWARD = Question(
    "awkward",
    Sentence(
        "提示词和检索是不是已经用得别扭？（越写越长，改一处坏一处，例子的腔调混在一起）",
        "Do prompt and retrieval feel awkward already? (ever longer, mending one thing breaks another, voices mix)",
    ),
    Sentence(
        "便宜的办法到头了，才轮到训练。",
        "Training comes after the cheap ways have come to their end.",
    ),
    Sentence(
        "还没认真试过：先写好提示词，放四条好例子，再试检索最近的几条。多半一天就知道够不够。",
        "Not tried in earnest yet: write a good prompt with four good examples, then retrieve the nearest ones. A day "
        "tells whether that is enough.",
    ),
)
QUESTIONS = (SOUND, CONSISTENCY, TASTE, EXAMPLES, AWKWARD)
