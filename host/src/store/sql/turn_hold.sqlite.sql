-- There is one writer: what is to be looked at is looked at now. $1 keys · $2 now
DELETE FROM limit_turns WHERE key IN (SELECT k.value FROM json_each($1) AS k) AND $2 IS NOT NULL
