-- Deletes what these runs logged, up to a line. $1 runs · $2, $3 the last line: run, and place
WITH gone AS (
    DELETE FROM flyball.run_logs l WHERE l.run_id = ANY ($1) AND (l.run_id, l.seq) <= ($2, $3) RETURNING 1
)
SELECT count(*) AS n FROM gone
