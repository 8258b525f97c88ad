-- Some of the jobs that a barrier waited for, in the order in which they were asked for, and how their last attempts
-- ended; no more of them than the bytes allow, but one at least. Only outputs that are answered are read.
-- $1 the job that asked · $2 its run · $3 how many to pass over · $4 how many at most · $5 bytes at most
SELECT c.id, c.kind, c.state, c.attempt, c.output, c.error_class, c.error_message
FROM (
    SELECT
        p.*,
        sum(p.bytes) OVER (ORDER BY p.id) AS bytes_so_far,
        row_number() OVER (ORDER BY p.id) AS place
    FROM (
        SELECT
            j.id, j.kind, j.state, j.attempt, r.error_class, r.error_message,
            CASE WHEN j.state = 'succeeded' THEN r.output END AS output,
            coalesce(CASE WHEN j.state = 'succeeded' THEN r.output_bytes END, 0)
                + coalesce(octet_length(r.error_message), 0) AS bytes
        FROM (
            SELECT j.id, j.kind, j.state, j.attempt
            FROM flyball.jobs j
            WHERE j.parent_id = $1 AND j.parent_run_id = $2 AND j.awaited
            ORDER BY j.id
            LIMIT $4 OFFSET $3) j
        LEFT JOIN LATERAL (
            SELECT r.output, r.output_bytes, r.error_class, r.error_message
            FROM flyball.job_runs r
            WHERE r.job_id = j.id AND r.attempt = j.attempt
            OFFSET 0) r ON true) p) c
WHERE c.bytes_so_far <= $5 OR c.place = 1
ORDER BY c.id
