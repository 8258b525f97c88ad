-- What an order was answered. $1 action · $2 batch
SELECT a.what, a.answer FROM flyball.operator_actions a WHERE a.action_id = $1 AND a.batch = $2
