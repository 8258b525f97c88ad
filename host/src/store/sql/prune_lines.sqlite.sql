-- Deletes what these runs logged, up to a line; answers a row for each. $1 runs · $2, $3 the last line: run, and place
DELETE FROM run_logs
WHERE run_id IN (SELECT d.value FROM json_each($1) AS d) AND (run_id, seq) <= ($2, $3)
RETURNING 1 AS n
