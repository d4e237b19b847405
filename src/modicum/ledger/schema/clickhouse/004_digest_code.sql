-- A digest as a whole number (its first 60 bits; 0 where there is none), for comparing many millions of them as arrays.
CREATE FUNCTION digest_code AS (digest) ->
    if(digest = '', toInt64(0), reinterpretAsInt64(reverse(unhex(concat('0', substring(digest, 1, 15))))));
