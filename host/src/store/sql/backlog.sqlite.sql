-- Rows to measure beside. $1 three digits of their ids · $2 kind, $3 queue, $4 class: each with the number of the lane
-- behind it, if $5 says so · $6 state · $7 priority · $8 enqueued at · $9 due at · $10 how many · $11 in how many lanes.
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $10)
INSERT INTO jobs (
    id, kind, queue, args, priority, state, attempt, created_at, scheduled_at, finalized_at, executor_class, blocked_by)
SELECT
    printf('01900000-0000-7000-8%s-%012x', $1, n),
    $2 || CASE WHEN $5 = 'kind' THEN n % $11 ELSE '' END,
    $3 || CASE WHEN $5 = 'queue' THEN n % $11 ELSE '' END,
    '{}', $7, $6, $6 = 'succeeded', $8, $9, CASE WHEN $6 = 'succeeded' THEN $8 END,
    $4 || CASE WHEN $5 = 'class' THEN n % $11 ELSE '' END,
    CASE WHEN $5 = 'blocked' THEN 'tenant' || (n % $11) END
FROM numbers
