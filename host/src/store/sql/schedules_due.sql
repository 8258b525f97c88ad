-- The schedules that are due, those first that have waited longest. $1 now · $2, $3 after this one: when, and slug ·
-- $4 how many at most
SELECT s.slug, s.next_at
FROM flyball.schedules s
WHERE s.active AND s.next_at <= $1 AND (s.next_at, s.slug) > ($2, $3)
ORDER BY s.next_at, s.slug
LIMIT $4
