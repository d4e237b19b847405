-- What the ledger holds of watched servers, a row per set of servers.
SELECT
    servers,
    count(*) AS windows,
    min(started) AS first_started,
    max(started) AS last_started,
    sum(seconds) AS seconds,
    sum(joules) AS joules
FROM energy_windows
GROUP BY servers
ORDER BY servers
