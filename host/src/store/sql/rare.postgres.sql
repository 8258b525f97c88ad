-- Jobs in these states, each found by the index of its state, and no more than so many. $1 states as an array · $2 how
-- many at most · $3 ended at or after, $4 ended before, each null for any time
SELECT g.id FROM (
    SELECT r.id FROM flyball.jobs r
    WHERE $1::text LIKE '%"available"%' AND r.state = 'available' AND r.blocked_by IS NULL AND NOT r.last_chance
    UNION ALL
    SELECT r.id FROM flyball.jobs r
    WHERE $1::text LIKE '%"available"%' AND r.state = 'available' AND r.blocked_by IS NULL AND r.last_chance
    UNION ALL
    SELECT r.id FROM flyball.jobs r
    WHERE $1::text LIKE '%"available"%' AND r.state = 'available' AND r.blocked_by IS NOT NULL
    UNION ALL
    SELECT r.id FROM flyball.jobs r
    WHERE ($1::text LIKE '%"scheduled"%' OR $1::text LIKE '%"retryable"%')
      AND r.state IN ('scheduled', 'retryable')
      AND strpos($1::text, '"' || r.state || '"') > 0
    UNION ALL
    SELECT r.id FROM flyball.jobs r WHERE $1::text LIKE '%"running"%' AND r.state = 'running'
    UNION ALL
    SELECT r.id FROM flyball.jobs r WHERE $1::text LIKE '%"paused"%' AND r.state = 'paused'
    UNION ALL
    SELECT r.id FROM flyball.jobs r
    WHERE $1::text LIKE '%"succeeded"%' AND r.state = 'succeeded'
      AND r.finalized_at >= coalesce($3::timestamptz, '-infinity')
      AND r.finalized_at < coalesce($4::timestamptz, 'infinity')
    UNION ALL
    SELECT r.id FROM flyball.jobs r
    WHERE $1::text LIKE '%"cancelled"%' AND r.state = 'cancelled'
      AND r.finalized_at >= coalesce($3::timestamptz, '-infinity')
      AND r.finalized_at < coalesce($4::timestamptz, 'infinity')
    UNION ALL
    SELECT r.id FROM flyball.jobs r
    WHERE $1::text LIKE '%"discarded"%' AND r.state = 'discarded'
      AND r.finalized_at >= coalesce($3::timestamptz, '-infinity')
      AND r.finalized_at < coalesce($4::timestamptz, 'infinity')
) g
LIMIT $2
