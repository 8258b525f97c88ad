-- Keeps why a schedule could not be fired; a row, if that is news. $1 slug · $2 why
UPDATE flyball.schedules SET last_error = $2 WHERE slug = $1 AND last_error IS DISTINCT FROM $2 RETURNING slug
