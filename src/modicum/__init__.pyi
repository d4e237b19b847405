from modicum.library.audits import audit as audit
from modicum.library.bills import bill as bill
from modicum.library.comparisons import compare as compare
from modicum.library.counts import count as count
from modicum.library.ledgers import open_ledger as open_ledger
from modicum.library.memory_plans import plan_memory as plan_memory
from modicum.library.price_documents import price as price
from modicum.optimizers.layout.prompt_layout import lay_out as lay_out
from modicum.optimizers.meaning.sentence_model import SentenceModel as SentenceModel
from modicum.optimizers.selection import select as select
from modicum.sdk.optimizing import optimize as optimize

__version__: str
