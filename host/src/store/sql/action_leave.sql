-- Takes back that an order was entered, of which this transaction did a part only. $1 action · $2 batch
DELETE FROM flyball.operator_actions WHERE action_id = $1 AND batch = $2
