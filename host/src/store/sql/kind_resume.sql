-- Resumes a kind; answers it if it was paused. $1 kind
UPDATE flyball.kinds SET paused = false WHERE kind = $1 AND paused RETURNING kind
