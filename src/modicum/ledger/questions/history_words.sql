-- The kinds of segments with their tools, in the order in which `history_segments` numbers them.
SELECT kind, tool FROM segments GROUP BY kind, tool ORDER BY kind, tool
