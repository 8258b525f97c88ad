-- Some of the jobs that a barrier waited for, in the order in which they were asked for, and how their last attempts
-- ended; no more of them than the bytes allow, but one at least. Only outputs that are answered are read.
-- $1 the job that asked · $2 its run · $3 how many to pass over · $4 how many at most · $5 bytes at most
SELECT
    c.id, c.kind, c.state, c.attempt, c.error_class, c.error_message,
    CASE WHEN c.state = 'succeeded' THEN (SELECT r.output FROM job_runs r WHERE r.id = c.run) END AS output
FROM (
    SELECT
        p.*,
        sum(p.bytes) OVER (ORDER BY p.id) AS bytes_so_far,
        row_number() OVER (ORDER BY p.id) AS place
    FROM (
        SELECT
            f.id, f.kind, f.state, f.attempt, r.id AS run, r.error_class, r.error_message,
            coalesce(CASE WHEN f.state = 'succeeded' THEN r.output_bytes END, 0)
                + coalesce(octet_length(r.error_message), 0) AS bytes
        FROM (
            SELECT j.id, j.kind, j.state, j.attempt
            FROM jobs j
            WHERE j.parent_id = $1 AND j.parent_run_id = $2 AND j.awaited
            ORDER BY j.id
            LIMIT $4 OFFSET $3) f
        LEFT JOIN job_runs r ON r.job_id = f.id AND r.attempt = f.attempt) p) c
WHERE c.bytes_so_far <= $5 OR c.place = 1
ORDER BY c.id
