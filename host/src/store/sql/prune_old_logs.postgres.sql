-- A page of what attempts logged that began before a time. Ids of runs begin with when they were minted.
-- $1, $2 after this line: run, and place · $3 the first run that is not meant · $4 how many at most
SELECT l.run_id, l.seq
FROM flyball.run_logs l
WHERE (l.run_id, l.seq) > ($1, $2) AND l.run_id < $3
ORDER BY l.run_id, l.seq
LIMIT $4
