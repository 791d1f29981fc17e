"""Prompt, retrieval and fine-tune side by side: their texts for the same requests, and what is measured of them."""
