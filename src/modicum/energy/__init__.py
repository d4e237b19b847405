"""Energy, memory and cost of models that one runs oneself.

What is measured (`meters`, `servers`, `samples`), what follows from it (`split`, `attribution`, `step_law`), and what
can be known before anything runs (`memory`, `tco`). Measured, fitted and estimated figures never share a name.
"""
