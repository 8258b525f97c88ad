-- Jobs by state, each counted on an index of its own.
SELECT 'available' AS state, count(*) AS n FROM flyball.jobs j
WHERE j.state = 'available' AND j.blocked_by IS NULL AND NOT j.last_chance
UNION ALL
SELECT 'available', count(*) FROM flyball.jobs j
WHERE j.state = 'available' AND j.blocked_by IS NULL AND j.last_chance
UNION ALL
SELECT 'available', count(*) FROM flyball.jobs j WHERE j.state = 'available' AND j.blocked_by IS NOT NULL
UNION ALL
SELECT j.state, count(*) FROM flyball.jobs j WHERE j.state IN ('scheduled', 'retryable') GROUP BY j.state
UNION ALL
SELECT 'running', count(*) FROM flyball.jobs j WHERE j.state = 'running'
UNION ALL
SELECT 'paused', count(*) FROM flyball.jobs j WHERE j.state = 'paused'
UNION ALL
SELECT j.state, count(*) FROM flyball.jobs j
WHERE j.state IN ('succeeded', 'cancelled', 'discarded') GROUP BY j.state
