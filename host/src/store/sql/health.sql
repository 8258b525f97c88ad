-- Jobs by queue and state, but for those that ended well, each state found by its index; how many are due later, and
-- since when the first one waits. $1 now
SELECT j.queue, 'available' AS state, count(*) AS n, 0 AS ahead, min(j.scheduled_at) AS oldest
FROM flyball.jobs j
WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
GROUP BY j.queue
UNION ALL
SELECT j.queue, 'available', count(*), 0, min(j.scheduled_at)
FROM flyball.jobs j
WHERE j.state = 'available' AND j.blocked_by IS NULL AND j.last_chance
GROUP BY j.queue
UNION ALL
SELECT j.queue, 'blocked', count(*), 0, NULL
FROM flyball.jobs j
WHERE j.state = 'available' AND j.blocked_by IS NOT NULL
GROUP BY j.queue
UNION ALL
SELECT j.queue, j.state, count(*), count(CASE WHEN j.scheduled_at > $1 THEN 1 END), NULL
FROM flyball.jobs j
WHERE j.state IN ('scheduled', 'retryable')
GROUP BY j.queue, j.state
UNION ALL
SELECT j.queue, 'running', count(*), 0, NULL FROM flyball.jobs j WHERE j.state = 'running' GROUP BY j.queue
UNION ALL
SELECT j.queue, 'paused', count(*), 0, NULL FROM flyball.jobs j WHERE j.state = 'paused' GROUP BY j.queue
UNION ALL
SELECT j.queue, 'discarded', count(*), 0, NULL
FROM flyball.jobs j
WHERE j.state IN ('succeeded', 'cancelled', 'discarded') AND j.state = 'discarded'
GROUP BY j.queue
