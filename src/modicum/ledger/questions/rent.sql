-- Who pays rent: what carrying each kind of segment cost, in every call that carried it, at the rates of that call.
-- $by: 'kind', 'tool' (tools by name, the rest by kind), 'agent', 'project', 'model', 'task'.
-- A segment lies in [offset, offset + tokens) of the prompt; the part below read_until was read from cache, the part
-- below written_until was written to it, the rest up to the end of the prompt was uncached; what lies beyond that (our
-- count above the provider's) was not paid for. The parts sum to the input cost of calls with anatomy.
SELECT
    CASE $by
        WHEN 'kind' THEN lives.kind
        WHEN 'agent' THEN calls.agent
        WHEN 'project' THEN calls.project
        WHEN 'model' THEN calls.model
        WHEN 'task' THEN calls.task
        ELSE CASE WHEN lives.tool = '' THEN lives.kind ELSE concat(lives.kind, ' ', lives.tool) END
    END AS name,
    count(*) AS carried,
    sum(CASE WHEN calls.place_in_conversation = lives.born THEN 1 ELSE 0 END) AS segments,
    sum(CASE WHEN calls.place_in_conversation = lives.born THEN lives.tokens ELSE 0 END) AS tokens,
    sum(lives.tokens) AS tokens_carried,
    sum(tokens_between(lives.offset_tokens, lives.tokens, 0, calls.read_until) * calls.read_usd) AS read_usd,
    sum(tokens_between(lives.offset_tokens, lives.tokens, calls.read_until, calls.written_until) * calls.written_usd) AS written_usd,
    sum(
        tokens_between(lives.offset_tokens, lives.tokens, calls.written_until, calls.prompt_tokens) * calls.uncached_usd
    ) AS uncached_usd
FROM lives
JOIN calls_in_order AS calls ON calls.conversation = lives.conversation
WHERE calls.place_in_conversation >= lives.born
    AND calls.place_in_conversation < lives.died
    AND calls.started >= $since
    AND calls.started < $until
GROUP BY name
ORDER BY name
