-- One row an edit: what a rule changed in a call before it was sent. Tokens are those of the prompt; NULL: another change.
CREATE TABLE edits (
    entry_id VARCHAR NOT NULL,
    place BIGINT NOT NULL,
    rule VARCHAR NOT NULL,
    tokens_before BIGINT,
    tokens_after BIGINT,
    why VARCHAR NOT NULL,
    basis VARCHAR NOT NULL
);
