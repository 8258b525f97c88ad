-- Removes a limit. $1 name
DELETE FROM flyball.limits WHERE name = $1 RETURNING origin
