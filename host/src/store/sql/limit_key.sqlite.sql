-- The line that a job `o` is put into, by the limit that says most about it; null if there is none for it. What is longer
-- than a key may be shares its line with what begins like it.
(SELECT lim.name || ':' || CASE
    WHEN octet_length(coalesce(o.limit_given, o.args ->> lim.path, '')) <= 512
    THEN coalesce(o.limit_given, o.args ->> lim.path, '')
    ELSE substr(coalesce(o.limit_given, o.args ->> lim.path, ''), 1, 128) END
 FROM limits lim
 WHERE lim.path IS NOT NULL AND (lim.queue IS NULL OR lim.queue = o.queue) AND (lim.kind IS NULL OR lim.kind = o.kind)
 ORDER BY lim.kind IS NULL, lim.queue IS NULL, lim.name
 LIMIT 1)
