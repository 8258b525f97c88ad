-- Puts what runs into the lines that it belongs to now, so that it is counted in them.
WITH stray AS MATERIALIZED (
    SELECT s.id, s.belongs
    FROM (
        SELECT o.id, o.limit_key, {limit_key} AS belongs
        FROM flyball.jobs o
        WHERE o.state = 'running'
        OFFSET 0) s
    WHERE s.belongs IS DISTINCT FROM s.limit_key
),
held AS MATERIALIZED (
    SELECT j.id
    FROM flyball.jobs j
    WHERE j.id = ANY (ARRAY(SELECT s.id FROM stray s))
    ORDER BY j.id
    FOR UPDATE
)
UPDATE flyball.jobs j
SET limit_key = s.belongs,
    blocked_by = CASE WHEN j.state = 'available' THEN s.belongs END
FROM stray s
WHERE j.id = ANY (ARRAY(SELECT h.id FROM held h)) AND j.id = s.id
RETURNING j.limit_key AS turn
