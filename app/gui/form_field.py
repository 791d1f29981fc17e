"""One field of a form: its name above, the control, and below it the sentence that says what is wrong."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.gui.plain_text import BreakingLabel


class FormField(QWidget):
    """A named control; ``name`` is what the errors of a request call it."""

    def __init__(self, name: str, *controls: QWidget) -> None:
        super().__init__()
        self.name = name
        self.controls = controls
        self.setObjectName(f"field-{name}")
        self._title = QLabel()
        self._title.setProperty("kind", "label")
        self._title.setBuddy(controls[0])
        self._aside = QLabel()
        self._aside.setProperty("kind", "aside")
        self.error = BreakingLabel()
        self.error.setProperty("kind", "error")
        self.error.hide()
        heading = QHBoxLayout()
        heading.addWidget(self._title)
        heading.addStretch(1)
        heading.addWidget(self._aside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(heading)
        for control in controls:
            column.addWidget(control)
        column.addWidget(self.error)
        policy = self.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Maximum)
        self.setSizePolicy(policy)

    def label(self, title: str, aside: str = "") -> None:
        """The field's name, and a word at the right of it; both are read out with the control."""
        self._title.setText(title)
        self._aside.setText(aside)
        for control in self.controls:
            control.setAccessibleName(title)

    def mark(self, message: str) -> None:
        """Say what is wrong with the field; the empty message takes it back."""
        if message == self.error.text():
            return
        self.error.setText(message)
        self.error.setVisible(bool(message))
        for control in self.controls:
            control.setProperty("wrong", bool(message))
            control.setAccessibleDescription(message)
            for widget in (control, *control.findChildren(QWidget)):
                widget.style().unpolish(widget)
                widget.style().polish(widget)
