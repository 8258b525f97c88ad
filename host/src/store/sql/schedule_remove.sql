-- Removes a schedule; answers who made it. $1 slug
DELETE FROM flyball.schedules WHERE slug = $1 RETURNING origin
