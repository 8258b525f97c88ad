-- Puts what runs into the lines that it belongs to now, so that it is counted in them.
UPDATE jobs
SET limit_key = s.belongs
FROM (SELECT o.id AS job, {limit_key} AS belongs FROM jobs o INDEXED BY jobs_running WHERE o.state = 'running') AS s
WHERE jobs.id = s.job AND s.belongs IS NOT jobs.limit_key
RETURNING limit_key AS turn
