-- Keeps the last progress of attempts that are under way. $1 batch: run, progress
WITH d AS MATERIALIZED (SELECT d.* FROM json_to_recordset($1::json) AS d (run uuid, progress json))
UPDATE flyball.job_runs r
SET progress = d.progress
FROM d
WHERE r.id = ANY (ARRAY(SELECT d.run FROM d)) AND r.id = d.run AND r.outcome = 'started'
