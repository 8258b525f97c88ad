-- Deletes these jobs; answers a row for each. $1 jobs
DELETE FROM jobs WHERE id IN (SELECT d.value FROM json_each($1) AS d) RETURNING 1 AS n
