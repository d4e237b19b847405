"""How a sentence is put together, the same in errors, tables, pages and metrics."""
