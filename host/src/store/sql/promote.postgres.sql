-- Makes due jobs available, those first that have waited longest; answers how many, by the lines that they wait in, and
-- notes that somebody has to look at these. Rows that another promoter has are
-- left to it. $1 now · $2 how many at most
WITH due AS MATERIALIZED (
    SELECT j.id
    FROM flyball.jobs j
    WHERE j.state IN ('scheduled', 'retryable') AND j.scheduled_at <= $1
    ORDER BY j.scheduled_at, j.id
    LIMIT $2
    FOR UPDATE SKIP LOCKED
),
promoted AS (
    UPDATE flyball.jobs j
    SET state = 'available', blocked_by = j.limit_key
    WHERE j.id = ANY (ARRAY(SELECT d.id FROM due d))
    RETURNING j.blocked_by
),
noted AS (
    INSERT INTO flyball.limit_turns (key)
    SELECT DISTINCT p.blocked_by FROM promoted p WHERE p.blocked_by IS NOT NULL
)
SELECT count(*) AS n, p.blocked_by AS turn FROM promoted p GROUP BY p.blocked_by
