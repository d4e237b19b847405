-- How many tokens of a segment lie in one region of the prompt: the segment is [begins, begins + tokens), the region is
-- [low, high).
CREATE FUNCTION tokens_between AS (begins, tokens, low, high) ->
    greatest(0, least(begins + tokens, high) - greatest(begins, low));
