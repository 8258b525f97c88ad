-- The limits, by name.
SELECT l.name, l.queue, l.kind, l.field, l.concurrency, l.permits, l.per_ms, l.burst, l.origin
FROM flyball.limits l
ORDER BY l.name
