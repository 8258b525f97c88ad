-- The next jobs of the walk: where it comes to, and the lines in which some of them wait. $1 the job that it has come to ·
-- $2 how many at most
WITH seen AS MATERIALIZED (
    SELECT j.id, j.blocked_by FROM flyball.jobs j WHERE j.id < $1 ORDER BY j.id DESC LIMIT $2
)
SELECT n.before, t.turn
FROM (SELECT (SELECT s.id FROM seen s ORDER BY s.id LIMIT 1) AS before) n
LEFT JOIN (SELECT DISTINCT s.blocked_by AS turn FROM seen s WHERE s.blocked_by IS NOT NULL) t ON true
