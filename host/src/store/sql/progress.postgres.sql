-- Keeps the last progress of attempts that are under way. $1 batch: run, progress
UPDATE flyball.job_runs r
SET progress = d.progress
FROM json_to_recordset($1::json) AS d (run uuid, progress json)
WHERE r.id = d.run AND r.outcome = 'started'
