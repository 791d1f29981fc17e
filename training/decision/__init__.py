"""Is fine-tuning the right answer? Five questions, and what a short trial on somebody's own corpus says to them.

    python -m training decide
    python -m training decide --corpus FILE --requests FILE --base GGUF --html decision.html

Any corpus in JSONL will do: every field of text but the few that are known is a label.
"""
