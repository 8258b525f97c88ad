-- When the next schedule becomes due that is not due yet. $1 now
SELECT s.next_at
FROM flyball.schedules s
WHERE s.active AND s.next_at > $1
ORDER BY s.next_at
LIMIT 1
