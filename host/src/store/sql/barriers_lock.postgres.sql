-- Holds the barriers of these runs, in the order of their ids, until the transaction ends: of those who end the last
-- children at once, one comes after the other. What each of them then sees is for the next statement to say: this one
-- began before the other had committed. $1 runs
SELECT b.run_id
FROM flyball.barriers b
WHERE b.run_id = ANY ($1)
ORDER BY b.run_id
FOR UPDATE
