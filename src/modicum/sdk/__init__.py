"""modicum inside a user's process: rules on its requests (`rules.py`), outcomes sent to a gateway (`outcomes.py`), and
adapters to frameworks, one file each. Every framework is an extra of its own.
"""
