-- A digest as a whole number (its first 60 bits; 0 where there is none), for comparing many millions of them as arrays.
CREATE MACRO digest_code(digest) AS
    CASE WHEN digest = '' THEN 0 ELSE CAST(concat('0x', substr(digest, 1, 15)) AS BIGINT) END;
