"""A cluster's settings: the questions that make its record, from prompts, flags or a file of answers."""
