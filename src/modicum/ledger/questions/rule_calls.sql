-- Of every call what a rule may know of it beside its place in the history: who paid, and its tags.
SELECT
    entry_id,
    conversation,
    team,
    app,
    user_name,
    key_name,
    tags
FROM entries
WHERE started >= $since AND started < $until
