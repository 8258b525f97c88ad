-- The keys of a limit that have jobs, those with the most that wait first. $1 the limit's name and a colon · $2 the same,
-- but for the sign after the colon · $3 how many at most
SELECT k.limit_key, sum(k.permits)::bigint AS permits, sum(k.blocked)::bigint AS blocked
FROM (
    SELECT j.blocked_by AS limit_key, 0 AS permits, count(*) AS blocked
    FROM flyball.jobs j
    WHERE j.state = 'available' AND j.blocked_by IS NOT NULL AND j.blocked_by >= $1 AND j.blocked_by < $2
    GROUP BY j.blocked_by
    UNION ALL
    SELECT j.limit_key, count(*), 0
    FROM flyball.jobs j
    WHERE j.limit_key IS NOT NULL AND (j.state = 'running' OR j.state = 'available' AND j.blocked_by IS NULL)
      AND j.limit_key >= $1 AND j.limit_key < $2
    GROUP BY j.limit_key) k
GROUP BY k.limit_key
ORDER BY blocked DESC, permits DESC, k.limit_key
LIMIT $3
