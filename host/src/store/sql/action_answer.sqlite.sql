-- Keeps what an order was answered. $1 action · $2 batch · $3 answer · $4 jobs that it changed · $5 jobs that it left
-- alone · $6 what it is about
UPDATE operator_actions
SET answer = $3, jobs_changed = $4, jobs_left = $5, about = $6
WHERE action_id = $1 AND batch = $2
