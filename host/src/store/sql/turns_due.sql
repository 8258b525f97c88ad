-- Keys that are to be looked at, because a token has come for which a job waits, or somebody wants it; and whether the jobs
-- are to be walked. $1 now · $2 how many keys of each sort at most
SELECT
    EXISTS (SELECT 1 FROM flyball.limit_walk w WHERE w.before IS NOT NULL) AS walks,
    d.key
FROM (SELECT 1 AS one) AS always
LEFT JOIN (
    SELECT k.key FROM (
        SELECT k.key FROM flyball.limit_keys k
        WHERE k.next_at IS NOT NULL AND k.next_at <= $1
        ORDER BY k.next_at
        LIMIT $2) AS k
    UNION
    SELECT t.key FROM (SELECT t.key FROM flyball.limit_turns t ORDER BY t.id LIMIT $2) AS t) AS d ON true
