-- Lines of the log of a run, in order. $1 run · $2 after this line · $3 how many at most
SELECT l.seq, l.at, l.level, l.message, l.fields
FROM flyball.run_logs l
WHERE l.run_id = $1 AND l.seq > $2
ORDER BY l.seq
LIMIT $3
