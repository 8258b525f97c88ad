-- How many old orders there are. $1 the first id that is not meant · $2 before
SELECT count(*) AS n FROM flyball.operator_actions a WHERE a.action_id < $1 AND a.at < $2
