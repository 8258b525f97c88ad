-- Who holds the active keys of jobs that a retry left alone. $1 jobs
SELECT j.id, o.id AS holder
FROM json_each($1) AS d
CROSS JOIN jobs j ON j.id = d.value
CROSS JOIN jobs o ON o.unique_active_key = j.unique_active_key
WHERE o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')
