-- The log of a run, in order. $1 run
SELECT l.seq, l.at, l.level, l.message, l.fields FROM flyball.run_logs l WHERE l.run_id = $1 ORDER BY l.seq
