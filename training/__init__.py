"""Everything that makes the adapter and what ships with it; nothing in ``app`` imports this package."""
