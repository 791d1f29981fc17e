"""What models there are, where they come from, and how ours is built. No Qt, no llama.cpp."""
