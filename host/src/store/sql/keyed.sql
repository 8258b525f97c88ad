-- The job that has a key, and the one that has not ended and has it as its active one. $1 key
SELECT j.id FROM flyball.jobs j WHERE j.unique_key = $1
UNION
SELECT j.id FROM flyball.jobs j
WHERE j.unique_active_key = $1 AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')
