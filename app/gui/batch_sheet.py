"""The style of what only the page 群发 has: the table, its editors, the list of sentences in the preview."""

import dataclasses
import string

from app.gui.theme import Tokens

_SHEET = string.Template("""
QTableView#batchTable { background: $card; color: $ink; border: 1px solid $line; outline: none;
  selection-background-color: $raised; selection-color: $ink; alternate-background-color: $card; font-size: 14px; }
QTableView#batchTable::item { padding: 0 8px; border: none; border-bottom: 1px solid $line; }
QTableView#batchTable::item:selected { background: $raised; }
QTableView#batchTable::item:focus { border-bottom: 2px solid $ink; }
QTableView#batchTable QHeaderView { background: $card; border: none; }
QTableView#batchTable QHeaderView::section { background: $card; color: $soft; border: none;
  border-bottom: 1px solid $edge; padding: 0 11px; font-size: 12px; }
QTableView#batchTable QHeaderView::section:vertical { border: none; border-bottom: 1px solid $line; padding: 0 6px; }
QTableView#batchTable QTableCornerButton::section { background: $card; border: none; border-bottom: 1px solid $edge; }
QTableView#batchTable QLineEdit { border: 2px solid $ink; border-radius: 0; padding: 0 6px; min-height: 30px; }
QTableView#batchTable QComboBox { border: 2px solid $ink; border-radius: 0; padding: 0 6px; min-height: 30px; }
QProgressBar#batchProgress { min-height: 4px; max-height: 4px; border-radius: 2px; }
QProgressBar#batchProgress::chunk { background: $soft; border-radius: 2px; }
QListWidget#sentences { background: $card; color: $ink; border: 1px solid $line; border-radius: 8px; padding: 6px;
  font-size: 13px; }
QListWidget#sentences::item { padding: 4px 6px; color: $ink; }
""")


def batch_sheet(tokens: Tokens) -> str:
    """The style sheet in these colours."""
    return _SHEET.substitute(dataclasses.asdict(tokens))
