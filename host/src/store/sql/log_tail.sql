-- The last lines of the log of a run, the last one first. $1 run · $2 how many at most
SELECT l.seq, l.at, l.level, l.message, l.fields
FROM flyball.run_logs l
WHERE l.run_id = $1
ORDER BY l.seq DESC
LIMIT $2
