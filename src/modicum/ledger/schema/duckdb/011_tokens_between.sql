-- How many tokens of a segment lie in one region of the prompt: the segment is [begins, begins + tokens), the region is
-- [low, high).
CREATE MACRO tokens_between(begins, tokens, low, high) AS
    greatest(0, least(begins + tokens, high) - greatest(begins, low));
