"""Readers rate, blind, what several systems wrote for the same requests.

    python -m training rating sheet --outputs DIR --requests FILE --out sheet.jsonl --key key.json
    python -m training rating count anna.jsonl bo.jsonl --key key.json --out summary.md

Every reader fills in a copy of the sheet: four ratings a text, one text to send a request. ``reading`` asks for one
thing only, whether a text would be sent.
"""
