-- Where the walk goes on, unless it is at its end.
SELECT w.before, w.rounds FROM limit_walk w WHERE w.before IS NOT NULL
