from modicum.sdk.optimizing import optimize as optimize

__version__: str
