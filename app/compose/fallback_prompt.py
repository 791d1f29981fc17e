"""The same request for a model that never learned our prompt: what to write, said in full, with rules it can follow.

What is asked goes into the user's turn of the model's own chat template. It is made from the prompt itself, so that
whoever orders a text need not know which model will write it.
"""

from collections.abc import Iterable

from app.compose.prompt import USER_TURN, Segment

_RULES = """\
请替我写一条发给对方的中文拜年消息，像我自己在微信里写给他的，不要像贺卡。

{request}

要求：
1. 只写消息正文，一段话，不要标题、解释、引号、选项或 Markdown。
2. 篇幅：短约三十字，中约六十字，长约一百字。
3. 有称呼就用它开头；没有就不要编名字，也不要写“亲爱的某某”。
4. 对长辈、领导、老师和客户用“您”，其他人用“你”。
5. 给了细节就自然地提到，照实写，不要添没有给的事；细节里的“我”是写消息的人，不是对方。
6. 给了落款就写在最后，没有就不写。
7. 语气要明显，像平时说话，用自己的话祝愿，不用四字套话。"""


def fallback_message(prompt: Iterable[Segment]) -> str:
    """What is said to a model that was not tuned.

    Args:
        prompt: as :func:`app.compose.prompt.prompt_segments` makes it.

    Raises:
        ValueError: there is no user's turn in it.
    """
    for text, special in prompt:
        if not special and text.startswith(USER_TURN):
            request = text.removeprefix(USER_TURN).partition("\n")[2]
            return _RULES.format(request=request)
    raise ValueError("a prompt without a user's turn")
