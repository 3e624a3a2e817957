"""Compositions of capabilities: each is phases of facts, plan and apply."""
