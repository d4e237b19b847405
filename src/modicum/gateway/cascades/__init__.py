"""Calls that begin at a cheap model. Its answer is judged before it is passed on; where it is not believed, the model
that was asked for takes over.
"""
