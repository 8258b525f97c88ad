-- Drops the barriers that these jobs have set and that have not fired, in the order of their ids. $1 jobs
DELETE FROM flyball.barriers b
WHERE b.run_id = ANY (ARRAY(
    SELECT c.run_id
    FROM flyball.barriers c
    -- Found first, then ordered: for the order alone it would go through all there are.
    WHERE c.run_id = ANY (ARRAY(SELECT d.run_id FROM flyball.barriers d WHERE d.job_id = ANY ($1)))
    ORDER BY c.run_id
    FOR UPDATE))
RETURNING b.run_id
