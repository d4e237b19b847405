-- Reports on calls that stand in the ledger themselves, by the rule of calls/session_reports.py: sums of a session that
-- has calls (or events) of the model, what a stream's sum holds beyond it where another log has calls of the model, and
-- events of an agent's telemetry that have the counts of a call of their session. Not those that were settled before.
SELECT DISTINCT entry_id, revision, source, provider, model, task, place, started
FROM (
    SELECT
        reports.entry_id AS entry_id,
        reports.revision AS revision,
        reports.source AS source,
        reports.provider AS provider,
        reports.model AS model,
        reports.task AS task,
        reports.place AS place,
        reports.started AS started
    FROM entries AS reports
    JOIN (
        SELECT DISTINCT task, model FROM entries
        WHERE place NOT IN ('run', 'rest') AND calls_count > 0 AND task IN (
            SELECT task FROM entries WHERE place = 'run' AND calls_count > 0 AND task <> ''
        )
        UNION DISTINCT
        SELECT DISTINCT task, '' AS model FROM entries
        WHERE place NOT IN ('run', 'rest') AND calls_count > 0 AND task IN (
            SELECT task FROM entries WHERE place = 'run' AND calls_count > 0 AND task <> ''
        )
    ) AS calls ON calls.task = reports.task AND calls.model = reports.model
    WHERE reports.place = 'run' AND reports.calls_count > 0
    UNION ALL
    SELECT
        reports.entry_id AS entry_id,
        reports.revision AS revision,
        reports.source AS source,
        reports.provider AS provider,
        reports.model AS model,
        reports.task AS task,
        reports.place AS place,
        reports.started AS started
    FROM entries AS reports
    JOIN (
        SELECT DISTINCT task, model, source FROM entries
        WHERE place NOT IN ('run', 'rest', 'telemetry') AND calls_count > 0 AND task IN (
            SELECT task FROM entries WHERE place = 'rest' AND calls_count > 0 AND task <> ''
        )
    ) AS calls ON calls.task = reports.task AND calls.model = reports.model
    WHERE reports.place = 'rest' AND reports.calls_count > 0 AND calls.source <> reports.source
    UNION ALL
    SELECT
        reports.entry_id AS entry_id,
        reports.revision AS revision,
        reports.source AS source,
        reports.provider AS provider,
        reports.model AS model,
        reports.task AS task,
        reports.place AS place,
        reports.started AS started
    FROM entries AS reports
    JOIN (
        SELECT DISTINCT
            task,
            model,
            input_uncached,
            cache_read,
            cache_write_5m + cache_write_1h + cache_write_30m + cache_write_12h AS written
        FROM entries
        WHERE place NOT IN ('run', 'rest', 'telemetry') AND calls_count > 0 AND task IN (
            SELECT task FROM entries WHERE place = 'telemetry' AND calls_count > 0 AND task <> ''
        )
    ) AS calls
        ON calls.task = reports.task
        AND calls.model = reports.model
        AND calls.input_uncached = reports.input_uncached
        AND calls.cache_read = reports.cache_read
        AND calls.written
        = reports.cache_write_5m + reports.cache_write_1h + reports.cache_write_30m + reports.cache_write_12h
    WHERE reports.place = 'telemetry' AND reports.calls_count > 0
) AS repeated
ORDER BY entry_id
