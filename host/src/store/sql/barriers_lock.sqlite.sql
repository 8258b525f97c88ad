-- The runs among these that have a barrier. There is one writer, so nothing has to be held. $1 runs
SELECT b.run_id
FROM json_each($1) AS d
CROSS JOIN barriers b ON b.run_id = d.value
ORDER BY b.run_id
