-- The line that a job `o` is put into, by the limit that says most about it; null if there is none for it. What is longer
-- than a key may be shares its line with what begins like it.
CASE WHEN EXISTS (SELECT FROM flyball.limits lim WHERE lim.path IS NOT NULL) THEN (
    SELECT lim.name || ':' || CASE WHEN octet_length(k.key) <= 512 THEN k.key ELSE left(k.key, 128) END
    FROM flyball.limits lim
    CROSS JOIN LATERAL (SELECT coalesce(o.limit_given, o.args::json #>> lim.path, '') COLLATE "C" AS key) k
    WHERE lim.path IS NOT NULL AND (lim.queue IS NULL OR lim.queue = o.queue) AND (lim.kind IS NULL OR lim.kind = o.kind)
    ORDER BY lim.kind IS NULL, lim.queue IS NULL, lim.name
    LIMIT 1) END
