-- The lanes that have jobs to claim, last chances included.
SELECT w.queue, w.kind, w.executor_class, count(*) AS available, min(w.scheduled_at) AS oldest_due
FROM (
    SELECT j.queue, j.kind, j.executor_class, j.scheduled_at FROM flyball.jobs j
    WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
    UNION ALL
    SELECT j.queue, j.kind, j.executor_class, j.scheduled_at FROM flyball.jobs j
    WHERE j.state = 'available' AND j.blocked_by IS NULL AND j.last_chance
) w
GROUP BY w.queue, w.kind, w.executor_class
ORDER BY w.queue, w.kind, w.executor_class
