-- What operators ordered, the newest first, the batches of an order in one row. $1 since · $2 how many at most
SELECT
    a.action_id, min(a.who) AS who, min(a.what) AS what, min(CAST(a.about AS text)) AS about, min(a.at) AS at,
    max(a.at) AS last_at, count(*) AS batches, CAST(sum(a.jobs_changed) AS bigint) AS jobs_changed,
    CAST(sum(a.jobs_left) AS bigint) AS jobs_left
FROM flyball.operator_actions a
GROUP BY a.action_id
HAVING max(a.at) >= $1
ORDER BY min(a.at) DESC, a.action_id DESC
LIMIT $2
