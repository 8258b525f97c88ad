-- How many nodes there are that are no more. $1 before
SELECT count(*) AS n FROM flyball.nodes n WHERE n.lost_at < $1
