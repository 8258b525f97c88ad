-- The next jobs of the walk: where it has come to, and the lines in which jobs wait. $1 the job that the walk has come to
-- · $2 how many at most
SELECT c.before, t.turn
FROM (SELECT min(s.id) AS before FROM (SELECT j.id FROM jobs j WHERE j.id < $1 ORDER BY j.id DESC LIMIT $2) s) c
LEFT JOIN (
    SELECT DISTINCT s.blocked_by AS turn
    FROM (SELECT j.blocked_by FROM jobs j WHERE j.id < $1 ORDER BY j.id DESC LIMIT $2) s
    WHERE s.blocked_by IS NOT NULL) t ON true
