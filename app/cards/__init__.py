"""A greeting as a picture: designs, line breaking by Chinese rules, and where every character sits.

This package decides; it draws nothing and knows nothing of Qt. ``app.gui.card_painter`` draws what it decided.
"""
