"""Hooks of coding agents: what their tools return, made shorter by the rules before the model sees it.

A process of its own for each result, so what is imported here is little, and late. `installing.py` is for the command
line alone.
"""
