-- What rules changed in calls before they were sent: calls, and tokens of their prompts before and after, by rule and
-- team of agents. `calls_spared` never went to a provider. Tokens are estimated; they are no saving: nobody knows what
-- the team would have done otherwise.
SELECT
    tag_value(entries.tags, 'agent_team') AS agent_team,
    edits.rule AS rule,
    count(DISTINCT edits.entry_id) AS calls,
    count(DISTINCT CASE WHEN entries.provider = 'modicum' THEN edits.entry_id END) AS calls_spared,
    coalesce(sum(edits.tokens_before), 0) AS tokens_before,
    coalesce(sum(edits.tokens_after), 0) AS tokens_after
FROM edits
JOIN entries ON entries.entry_id = edits.entry_id
WHERE entries.started >= $since AND entries.started < $until
GROUP BY tag_value(entries.tags, 'agent_team'), edits.rule
ORDER BY agent_team, rule
