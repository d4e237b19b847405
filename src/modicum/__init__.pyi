from modicum.optimizers.selection import select as select
from modicum.sdk.optimizing import optimize as optimize

__version__: str
