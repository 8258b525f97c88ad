-- Keeps what an order was answered. $1 action · $2 batch · $3 answer
UPDATE flyball.operator_actions SET answer = $3::json WHERE action_id = $1 AND batch = $2
