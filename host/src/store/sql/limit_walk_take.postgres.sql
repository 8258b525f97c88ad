-- Where the walk goes on, unless somebody else is on it, or it is at its end.
SELECT w.before, w.rounds FROM flyball.limit_walk w WHERE w.before IS NOT NULL FOR UPDATE SKIP LOCKED
