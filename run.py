# -*- coding: utf-8 -*-  # noqa: UP009
"""拜年帖, from a fresh clone to an open window: ``python3 run.py``. Everything it needs is in ``setup_steps/``.

This file only looks at the Python it was started with. It must be readable by every Python a machine may have, 2.7
among them, so that the wrong one is answered with a sentence and not with a syntax error.
"""

import os
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    found = ".".join(str(number) for number in sys.version_info[:3])
    encoding = (getattr(sys.stderr, "encoding", None) or "ascii").lower().replace("-", "")
    if encoding in ("utf8", "gbk", "gb18030", "cp936"):
        sys.stderr.write(
            "拜年帖需要 Python 3.11、3.12 或 3.13，现在用的是 Python "
            + found
            + "。请装好其中一个，再用它运行，例如：python3.12 run.py\n"
        )
    sys.stderr.write(
        "Bainiantie needs Python 3.11, 3.12 or 3.13, and this is Python "
        + found
        + ". Install one of them and run again with it, for example: python3.12 run.py\n"
    )
    sys.exit(2)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from setup_steps.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
