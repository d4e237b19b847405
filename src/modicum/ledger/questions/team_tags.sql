-- How many calls say that they are turns of a team of agents: what is missing where team_rows has no rows.
-- $since, $until: calls that began in that time.
SELECT
    coalesce(sum(calls_count), 0) AS calls,
    coalesce(sum(CASE WHEN tag_value(tags, 'run') <> '' THEN calls_count ELSE 0 END), 0) AS calls_with_run,
    coalesce(sum(CASE WHEN tag_value(tags, 'run') <> '' AND agent <> '' THEN calls_count ELSE 0 END), 0)
        AS calls_with_run_and_agent,
    coalesce(sum(
        CASE WHEN tag_value(tags, 'run') <> '' AND agent <> '' AND tag_value(tags, 'round') = '' THEN calls_count
            ELSE 0 END
    ), 0) AS calls_without_round,
    count(DISTINCT CASE WHEN tag_value(tags, 'plan_arm') = 'plan' THEN tag_value(tags, 'run') END) AS runs_under_plan
FROM entries
WHERE started >= $since AND started < $until
