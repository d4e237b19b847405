"""Calls that begin at a cheap model: its answer is judged before it is passed on, and where it is not believed the model
that was asked for takes over.
"""
