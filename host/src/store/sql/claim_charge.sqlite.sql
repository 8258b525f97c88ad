-- Takes a token for each start from the bucket of its key: whoever waits to be claimed has one. $1 keys, each with how many
-- start · $2 now
UPDATE limit_keys
SET level = min(
        g.burst,
        level + max($2 - filled_at, 0) / 1000.0 * g.permits / g.per_ms) - g.starts,
    filled_at = max(filled_at, $2)
FROM (
    SELECT d.value ->> 'key' AS key, d.value ->> 'starts' AS starts, l.burst, l.permits, l.per_ms
    FROM json_each($1) AS d
    CROSS JOIN limits l ON l.name = substr(d.value ->> 'key', 1, instr(d.value ->> 'key', ':') - 1)
    WHERE l.path IS NOT NULL AND l.permits IS NOT NULL) AS g
WHERE limit_keys.key = g.key
