-- Makes due jobs available, those first that have waited longest; answers how many. Rows that another promoter has are
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
    SET state = 'available'
    WHERE j.id = ANY (ARRAY(SELECT d.id FROM due d))
    RETURNING j.id
)
SELECT count(*) AS n FROM promoted
