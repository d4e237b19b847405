-- The audit log, oldest first.
SELECT event_id, happened_at, by_name, kind, what, subject, team, app, user_name, key_name, details
FROM audit_events
ORDER BY happened_at, event_id
