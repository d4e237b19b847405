-- Teams of agents: the rows of a recording (`modicum.agents.recordings.Row`), from calls that carry the tag `run` and an
-- agent. First the turns, then a row without agent for the result of each run, oldest run first.
-- Calls of one agent in one round are one turn; a tag `step` keeps turns of one round apart. Without the tag `round` each
-- call of an agent is its next round. A turn with a call that nobody counted has NULL tokens, and likewise its cost.
-- $since, $until: runs that began in that time. $arm: `full` without the runs that went under a plan of the gateway (tag
-- `plan_arm`), `plan` those alone, '' all.
-- $outcome: the outcome that grades runs. One told of the run's own name stands before one of its task, and that of a
-- task with several runs grades none of them (outcome_unclear), since nobody knows which it was.
WITH calls AS (
    SELECT
        tag_value(tags, 'agent_team') AS team_name,
        tag_value(tags, 'run') AS run_name,
        task AS task_name,
        agent AS agent_name,
        CASE WHEN tag_value(tags, 'round') <> '' THEN tag_value(tags, 'round')
            ELSE CAST(row_number() OVER (
                PARTITION BY tag_value(tags, 'agent_team'), tag_value(tags, 'run'), agent
                ORDER BY started, turn, entry_id
            ) AS VARCHAR)
        END AS round_text,
        tag_value(tags, 'step') AS step_text,
        tags AS all_tags,
        started AS began,
        CASE WHEN tag_value(tags, 'round') = '' THEN 1
            ELSE row_number() OVER (
                PARTITION BY tag_value(tags, 'agent_team'), tag_value(tags, 'run'), agent,
                    tag_value(tags, 'round'), tag_value(tags, 'step')
                ORDER BY started DESC, turn DESC, entry_id DESC
            )
        END AS from_last,
        model AS model_name,
        calls_count AS calls_made,
        CASE WHEN usage_basis = 'unknown' THEN NULL
            ELSE uncached_tokens + cache_read_tokens + cache_write_tokens END AS prompt,
        CASE WHEN output_basis = 'unknown' THEN NULL ELSE completion_tokens END AS completion,
        CAST(cost_usd AS DOUBLE) AS usd
    FROM entries
    WHERE tag_value(tags, 'run') <> '' AND agent <> '' AND calls_count > 0
),
told AS (
    SELECT task AS told_of, min(value) AS least, max(value) AS most
    FROM outcomes WHERE name = $outcome GROUP BY task
),
every_run AS (
    SELECT
        team_name,
        run_name,
        max(task_name) AS run_task,
        min(began) AS run_began,
        max(tag_value(all_tags, 'team_answer')) AS team_answer,
        max(tag_value(all_tags, 'gold')) AS gold_text,
        max(tag_value(all_tags, 'group')) AS group_name,
        max(CASE WHEN tag_value(all_tags, 'plan_arm') = 'plan' THEN 1 ELSE 0 END) AS under_plan
    FROM calls GROUP BY team_name, run_name
),
runs AS (
    SELECT * FROM every_run
    WHERE run_began >= $since AND run_began < $until
        AND ($arm = '' OR ($arm = 'plan' AND under_plan = 1) OR ($arm = 'full' AND under_plan = 0))
),
runs_of_task AS (
    SELECT run_task AS shared_task, count(*) AS runs_count FROM every_run WHERE run_task <> '' GROUP BY run_task
)
SELECT * FROM (
    SELECT
        calls.run_name AS run,
        calls.team_name AS team,
        max(runs.run_task) AS task,
        calls.agent_name AS agent,
        calls.round_text AS round,
        nullif(calls.step_text, '') AS step,
        max(CASE WHEN calls.from_last = 1 AND calls.model_name <> 'unknown' THEN calls.model_name ELSE '' END) AS model,
        max(tag_value(calls.all_tags, 'prompt_digest')) AS prompt_digest,
        sum(calls.calls_made) AS calls_count,
        CASE WHEN count(*) = count(calls.prompt) THEN sum(calls.prompt) END AS prompt_tokens,
        CASE WHEN count(*) = count(calls.completion) THEN sum(calls.completion) END AS completion_tokens,
        nullif(max(CASE WHEN calls.from_last = 1 THEN tag_value(calls.all_tags, 'answer') ELSE '' END), '') AS answer,
        nullif(max(CASE WHEN calls.from_last = 1 THEN tag_value(calls.all_tags, 'score') ELSE '' END), '') AS score,
        nullif(max(CASE WHEN calls.from_last = 1 THEN tag_value(calls.all_tags, 'reads') ELSE '' END), '') AS reads,
        CAST(NULL AS DOUBLE) AS outcome,
        CAST(NULL AS VARCHAR) AS gold,
        max(runs.group_name) AS group_name,
        0 AS outcome_unclear,
        CASE WHEN count(*) = count(calls.usd) THEN sum(calls.usd) END AS cost_usd,
        0 AS is_result,
        max(runs.run_began) AS run_began,
        min(calls.began) AS turn_began
    FROM calls
    JOIN runs ON runs.team_name = calls.team_name AND runs.run_name = calls.run_name
    GROUP BY calls.run_name, calls.team_name, calls.agent_name, calls.round_text, calls.step_text
    UNION ALL
    SELECT
        runs.run_name AS run,
        runs.team_name AS team,
        runs.run_task AS task,
        '' AS agent,
        '1' AS round,
        NULL AS step,
        '' AS model,
        '' AS prompt_digest,
        0 AS calls_count,
        NULL AS prompt_tokens,
        NULL AS completion_tokens,
        nullif(runs.team_answer, '') AS answer,
        NULL AS score,
        NULL AS reads,
        CASE
            WHEN of_run.least IS NOT NULL THEN CASE WHEN of_run.least = of_run.most THEN of_run.least END
            WHEN runs_of_task.runs_count = 1 AND of_task.least = of_task.most THEN of_task.least
        END AS outcome,
        nullif(runs.gold_text, '') AS gold,
        runs.group_name AS group_name,
        CASE
            WHEN of_run.least IS NOT NULL THEN CASE WHEN of_run.least < of_run.most THEN 1 ELSE 0 END
            WHEN of_task.least IS NULL THEN 0
            WHEN runs_of_task.runs_count = 1 AND of_task.least = of_task.most THEN 0
            ELSE 1
        END AS outcome_unclear,
        CAST(NULL AS DOUBLE) AS cost_usd,
        1 AS is_result,
        runs.run_began AS run_began,
        runs.run_began AS turn_began
    FROM runs
    LEFT JOIN told AS of_run ON of_run.told_of = runs.run_name
    LEFT JOIN told AS of_task ON of_task.told_of = runs.run_task
    LEFT JOIN runs_of_task ON runs_of_task.shared_task = runs.run_task
) AS all_rows
ORDER BY run_began, team, run, is_result, turn_began, agent, step
