-- Dimensions by which calls are cut: the name of one, and what a row has in it. The one place that knows both; questions
-- call it with `$by`, `$tag` (where $by is 'tag'), `$zone` (in which days, weeks and months are cut) and their columns.
CREATE MACRO dimension(
    wanted, tag, zone, model, source, provider, project, branch, task, agent, team, app, user_name, key_name, tier, status,
    place, tags, started
) AS
    CASE wanted
        WHEN 'model' THEN model
        WHEN 'source' THEN source
        WHEN 'provider' THEN provider
        WHEN 'project' THEN project
        WHEN 'branch' THEN branch
        WHEN 'task' THEN task
        WHEN 'agent' THEN agent
        WHEN 'owner' THEN concat(team, '/', app, '/', user_name, '/', key_name)
        WHEN 'team' THEN team
        WHEN 'app' THEN app
        WHEN 'user' THEN user_name
        WHEN 'key' THEN key_name
        WHEN 'tier' THEN tier
        WHEN 'status' THEN status
        WHEN 'place' THEN place
        WHEN 'tag' THEN tag_value(tags, tag)
        WHEN 'day' THEN CAST(CAST(local_time(started, zone) AS DATE) AS VARCHAR)
        WHEN 'week' THEN CAST(CAST(date_trunc('week', local_time(started, zone)) AS DATE) AS VARCHAR)
        WHEN 'month' THEN CAST(CAST(date_trunc('month', local_time(started, zone)) AS DATE) AS VARCHAR)
        ELSE ''
    END;
