"""What clean data is worth: the same training on less of the corpus, and on a corpus with poor records in it."""
