-- The names that calls have in one dimension ($by), each once. $tag: the tag where $by is 'tag'; $zone: in which days begin.
SELECT DISTINCT
    dimension(
        $by, $tag, $zone, model, source, provider, project, branch, task, agent, team, app, user_name, key_name, tier,
        status, place, tags, started
    ) AS name
FROM entries
ORDER BY name
