//! Would the tests notice? Each fence is taken out of its statement, and the promise that it keeps must fail, by the
//! words of the assertion that is about it.

use std::future::Future;

use flyball::store::Database::{self, Postgres, Sqlite};
use flyball::store::probe::Edit;

use crate::world::World;
use crate::{
    barriers, bulk, checkpoints, children, claims, deletions, families, growth, held_up, leases, left_alone,
    limits, losses, meetings, nodes, orders, outcomes, retention, rivals, schedules,
};

fn edit(statement: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit { statement, from, to }
}

/// Runs the promise on a store without its fence: it must fail, saying one of these (`|` parts them).
async fn fails<F>(database: Database, edits: &[Edit], promise: impl FnOnce(World) -> F, words: &str)
where
    F: Future<Output = ()> + 'static,
{
    let Some(world) = World::mutant(database, edits).await else { return };
    let local = tokio::task::LocalSet::new();
    let promised = local.spawn_local(promise(world));
    let failed = local.run_until(promised).await;
    let failure = failed.expect_err("the promise holds without its fence").into_panic();
    let message = failure.downcast_ref::<String>().cloned();
    let message =
        message.or_else(|| failure.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
    assert!(words.split('|').any(|words| message.contains(words)), "it failed, but for {message:?}");
}

macro_rules! mutants {
    ($($name:ident: $database:ident, [$(($statement:literal, $from:literal, $to:literal)),+], $promise:path, $words:literal;)+) => {
        $(#[tokio::test]
        async fn $name() {
            fails($database, &[$(edit($statement, $from, $to)),+], $promise, $words).await;
        })+
    };
}

mutants! {
    a_settle_without_its_token_on_sqlite: Sqlite,
        [("settle_jobs", "  AND jobs.lease_token = d.run\n", "")],
        outcomes::an_outcome_that_comes_too_late_changes_nothing_and_is_noted_once,
        "a stale token moves nothing";
    a_run_that_ends_without_its_token_on_sqlite: Sqlite,
        [("settle_runs", " AND j.lease_token = d.value ->> 'run'", ""),
         ("settle_runs", "  AND job_runs.outcome = 'started'\n", "")],
        outcomes::an_outcome_that_comes_too_late_changes_nothing_and_is_noted_once,
        "a stale token moves nothing";
    a_settle_without_its_token_on_postgres: Postgres,
        [("settle", "      AND j.lease_token = d.run\n", "")],
        outcomes::an_outcome_that_comes_too_late_changes_nothing_and_is_noted_once,
        "a stale token moves nothing";
    a_settle_without_its_token_that_meets_a_sweep: Postgres,
        [("settle", "      AND j.lease_token = d.run\n", ""), ("running_free", "FOR UPDATE OF j SKIP LOCKED", "")],
        leases::an_outcome_and_a_sweep_that_meet_move_the_job_once,
        "the sweep moved a job that had ended";
    a_settle_that_heeds_no_cancel_on_sqlite: Sqlite,
        [("settle_jobs", "WHEN cancel_requested_at IS NOT NULL AND d.state", "WHEN false AND d.state"),
         ("settle_jobs", "WHEN cancel_requested_at IS NOT NULL OR d.state", "WHEN d.state")],
        orders::every_road_that_would_go_on_ends_cancelled_once_a_cancel_was_asked,
        "the answer says cancelled";
    a_settle_that_heeds_no_cancel_on_postgres: Postgres,
        [("settle", "WHEN j.cancel_requested_at IS NOT NULL AND d.state", "WHEN false AND d.state"),
         ("settle", "WHEN j.cancel_requested_at IS NOT NULL OR d.state", "WHEN d.state")],
        orders::every_road_that_would_go_on_ends_cancelled_once_a_cancel_was_asked,
        "the answer says cancelled";
    a_late_outcome_of_the_owner_itself_on_sqlite: Sqlite,
        [("late_note", "  AND job_runs.settled_by IS NOT 'owner'\n", "")],
        outcomes::a_repeated_finalize_answers_what_it_did,
        "an owner's repeat is not late";
    a_late_outcome_of_the_owner_itself_on_postgres: Postgres,
        [("late_note", "  AND r.settled_by IS DISTINCT FROM 'owner'\n", "")],
        outcomes::a_repeated_finalize_answers_what_it_did,
        "an owner's repeat is not late";
    a_late_outcome_noted_twice_on_sqlite: Sqlite,
        [("late_note", "  AND job_runs.late_outcome IS NULL", "")],
        outcomes::an_outcome_that_comes_too_late_changes_nothing_and_is_noted_once,
        "noted once";
    a_late_outcome_noted_twice_on_postgres: Postgres,
        [("late_note", "  AND r.late_outcome IS NULL", "")],
        outcomes::an_outcome_that_comes_too_late_changes_nothing_and_is_noted_once,
        "noted once";
    a_claim_for_a_lost_node_on_sqlite: Sqlite,
        [("claim_look", "n.id = $1 AND n.lost_at IS NULL", "n.id = $1")],
        claims::a_node_that_is_not_entered_or_is_lost_claims_nothing,
        "a lost node claims nothing";
    a_claim_for_a_lost_node_on_postgres: Postgres,
        [("claim", "n.id = $1 AND n.lost_at IS NULL FOR KEY SHARE", "n.id = $1 FOR KEY SHARE")],
        claims::a_node_that_is_not_entered_or_is_lost_claims_nothing,
        "a lost node claims nothing";
    a_claim_that_does_not_hold_its_node: Postgres,
        [("claim", "n.lost_at IS NULL FOR KEY SHARE", "n.lost_at IS NULL")],
        leases::no_claim_commits_after_its_node_was_marked_lost,
        "a claim slipped past the mark";
    a_claim_that_waits_for_others: Postgres,
        [("claim", "        FOR UPDATE SKIP LOCKED) c", "        FOR UPDATE) c")],
        leases::what_another_claim_has_is_passed_over_and_not_waited_for,
        "a claim waited for another";
    a_claim_that_knows_no_turns: Postgres,
        [("claim", "ORDER BY p.ahead + (p.place - 1) * p.cost, p.priority", "ORDER BY p.priority")],
        claims::queues_take_turns_by_their_weight_and_what_they_had,
        "(\"a\", 9)";
    a_claim_that_forgets_its_first_try_on_sqlite: Sqlite,
        [("claim_look", "CROSS JOIN job_runs r ON r.id = g.value", "CROSS JOIN job_runs r ON false")],
        claims::a_repeated_claim_answers_the_same_jobs,
        "claimed|a repeat answers the same";
    a_claim_that_forgets_its_first_try_on_postgres: Postgres,
        [("claim", "      AND j.lease_token = ANY ($2)\n", "      AND false\n")],
        claims::a_repeated_claim_answers_the_same_jobs,
        "claimed|a repeat answers the same";
    a_renewal_of_a_lost_node_on_sqlite: Sqlite,
        [("node_renew", "WHERE id = $1 AND lost_at IS NULL", "WHERE id = $1")],
        nodes::a_node_that_left_neither_renews_nor_comes_back,
        "a lost node does not renew";
    a_renewal_of_a_lost_node_on_postgres: Postgres,
        [("node_renew", "n.id = $1 AND n.lost_at IS NULL", "n.id = $1"),
         ("node_renew", "n.id = d.id AND n.lost_at IS NULL", "n.id = d.id")],
        losses::a_node_that_was_marked_lost_is_told_so_by_everything_that_it_does,
        "a lost node does not renew";
    a_node_that_comes_back_on_sqlite: Sqlite,
        [("node_alive", " AND n.lost_at IS NULL", "")],
        nodes::a_node_that_left_neither_renews_nor_comes_back,
        "ids are never reused";
    a_node_that_comes_back_on_postgres: Postgres,
        [("node_alive", " AND n.lost_at IS NULL", "")],
        nodes::a_node_that_left_neither_renews_nor_comes_back,
        "ids are never reused";
    a_renewal_that_takes_later_claims_for_unknown_on_sqlite: Sqlite,
        [("renew_compare", "  AND m.run < $4\n", "")],
        leases::a_claim_that_overtakes_a_renewal_is_not_taken_for_unknown,
        "a claim that overtook the renewal was released";
    a_renewal_that_takes_later_claims_for_unknown_on_postgres: Postgres,
        [("renew_compare", "  AND m.run < $4\n", "  AND $4 IS DISTINCT FROM m.run\n")],
        leases::a_claim_that_overtakes_a_renewal_is_not_taken_for_unknown,
        "a claim that overtook the renewal was released";
    a_sweep_by_a_node_that_was_away: Postgres,
        [("sweep_ready", "n.steady_since <= $3", "n.steady_since <= $3 + interval '1 day'")],
        leases::a_node_that_was_away_itself_does_not_judge_others,
        "a sweeper that was away judged";
    a_renewal_that_is_late_only_after_a_whole_lease: Postgres,
        [("node_renew", "n.renewed_at + n.lease_ms * interval '500 microseconds' < t.now AS late", "n.expires_at < t.now AS late")],
        leases::an_outage_shorter_than_a_lease_charges_nobody,
        "an outage was charged to a node";
    a_sweep_that_waits_for_claims: Postgres,
        [("sweep_mark", "    FOR UPDATE SKIP LOCKED\n", "    FOR UPDATE\n")],
        leases::a_claim_under_way_makes_the_sweep_leave_its_node_for_the_next_time,
        "a sweep waited for a claim";
    a_renewal_that_waits_for_jobs: Postgres,
        [("node_renew", "    FOR UPDATE SKIP LOCKED\n", "    FOR UPDATE\n")],
        held_up::a_renewal_passes_over_the_jobs_that_others_hold,
        "a renewal waited for a job that another holds";
    a_sweep_that_waits_for_the_jobs_of_a_dead_node: Postgres,
        [("running_free", "FOR UPDATE OF j SKIP LOCKED", "FOR UPDATE OF j")],
        held_up::a_job_that_is_held_up_holds_up_no_sweep,
        "was held up";
    a_sweep_that_waits_for_the_jobs_of_lost_nodes: Postgres,
        [("orphans", "FOR UPDATE OF j SKIP LOCKED", "FOR UPDATE OF j")],
        held_up::a_job_that_is_held_up_holds_up_no_sweep,
        "was held up";
    a_sweep_that_waits_for_overdue_jobs: Postgres,
        [("sweep_overdue", "FOR UPDATE OF j SKIP LOCKED", "FOR UPDATE OF j")],
        held_up::a_missed_deadline_that_is_held_up_holds_up_no_other,
        "was held up";
    a_sweep_that_waits_for_leases_far_ahead: Postgres,
        [("sweep_cut", "FOR NO KEY UPDATE SKIP LOCKED", "FOR NO KEY UPDATE")],
        held_up::a_lease_far_ahead_that_is_held_up_holds_up_no_sweep,
        "a sweep was held up";
    a_node_that_leaves_past_its_claims: Postgres,
        [("node_leave", "FOR UPDATE)", "FOR NO KEY UPDATE)")],
        held_up::a_claim_under_way_gives_back_what_it_takes_when_its_node_leaves,
        "a claim slipped past the leaving";
    a_family_that_is_not_counted_on_sqlite: Sqlite,
        [("families", "j.root_id = f.value AND", "j.root_id IS NULL AND j.root_id = f.value AND")],
        families::a_family_grows_up_to_its_limit_and_no_further,
        "a family grew past its limit";
    a_family_that_is_not_counted_on_postgres: Postgres,
        [("families", "j.root_id = f.root AND", "j.root_id IS NULL AND")],
        families::a_family_grows_up_to_its_limit_and_no_further,
        "a family grew past its limit";
    a_claim_whose_answer_has_no_bound: Postgres,
        [("claim", "WHERE l.bytes <= $7::bigint OR", "WHERE $7::bigint IS NOT NULL OR")],
        claims::an_answer_carries_no_more_args_than_it_can_in_time,
        "more than eight megabytes in one answer";
    an_interrupted_order_that_does_a_batch_twice_on_sqlite: Sqlite,
        [("action_begin", "DO NOTHING", "DO UPDATE SET at = excluded.at")],
        bulk::an_interrupted_order_goes_on_under_its_id_and_does_nothing_twice,
        "the first batch is not done twice";
    an_interrupted_order_that_does_a_batch_twice_on_postgres: Postgres,
        [("action_begin", "DO NOTHING", "DO UPDATE SET at = excluded.at")],
        bulk::an_interrupted_order_goes_on_under_its_id_and_does_nothing_twice,
        "the first batch is not done twice";
    a_replay_that_takes_keys_on_sqlite: Sqlite,
        [("replay", "WHERE o.unique_active_key = jobs.unique_active_key\n", "WHERE false\n")],
        bulk::a_replay_skips_taken_keys_and_the_rest_go_on,
        "the rest go on";
    a_replay_that_takes_keys_on_postgres: Postgres,
        [("replay", "WHERE o.unique_active_key = j.unique_active_key\n", "WHERE false\n")],
        bulk::a_replay_skips_taken_keys_and_the_rest_go_on,
        "the rest go on";
    a_barrier_that_is_counted_by_the_statement_that_holds_it: Postgres,
        [("barriers_lock", "WHERE b.run_id = ANY ($1)\n",
          "WHERE b.run_id = ANY ($1) AND NOT EXISTS (SELECT FROM flyball.jobs j WHERE j.parent_run_id = b.run_id AND j.awaited AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))\n")],
        meetings::last_children_that_end_unseen_by_each_other_fire_the_barrier,
        "the barrier never fired";
    a_barrier_that_nobody_holds: Postgres,
        [("barriers_lock", "FOR UPDATE", "")],
        meetings::last_children_that_end_unseen_by_each_other_fire_the_barrier,
        "the barrier never fired";
    a_retry_that_holds_no_barrier: Postgres,
        [("jobs_lock", "CASE WHEN j.awaited THEN j.parent_run_id END", "NULL::uuid")],
        meetings::a_retry_that_meets_the_end_of_the_last_child_is_waited_for,
        "the barrier fired too early";
    a_retry_that_overtakes_its_barrier: Postgres,
        [("jobs_lock", "CASE WHEN j.awaited THEN j.parent_run_id END", "NULL::uuid")],
        meetings::a_retry_waits_for_the_barrier_that_fires,
        "a retry overtook the barrier that fires";
    a_barrier_that_waits_for_nobody_on_sqlite: Sqlite,
        [("barriers_fire", "WHERE NOT EXISTS", "WHERE true OR NOT EXISTS")],
        barriers::a_barrier_fires_once_when_the_last_child_has_ended_whatever_each_came_to,
        "the barrier fired too early";
    a_barrier_that_waits_for_nobody_on_postgres: Postgres,
        [("barriers_fire", "j.parent_run_id = r.run AND j.awaited", "j.parent_run_id = r.run AND NOT j.awaited")],
        barriers::a_barrier_fires_once_when_the_last_child_has_ended_whatever_each_came_to,
        "the barrier fired too early";
    a_checkpoint_without_its_token_on_sqlite: Sqlite,
        [("checkpoint_save", "AND j.lease_token = $2", "AND $2 IS NOT NULL")],
        checkpoints::a_checkpoint_of_an_attempt_that_is_over_is_ignored,
        "a stale token stored a checkpoint";
    a_checkpoint_without_its_token_on_postgres: Postgres,
        [("checkpoint_save", "AND j.lease_token = $2", "AND $2::uuid IS NOT NULL")],
        checkpoints::a_checkpoint_of_an_attempt_that_is_over_is_ignored,
        "a stale token stored a checkpoint";
    a_checkpoint_that_does_not_hold_its_job: Postgres,
        [("checkpoint_save", "FOR NO KEY UPDATE\n", "")],
        meetings::a_checkpoint_that_meets_the_end_of_its_attempt_does_not_outlive_it,
        "a checkpoint outlived its job";
    a_save_of_any_number_on_sqlite: Sqlite,
        [("checkpoint_save", "c.number < excluded.number", "c.number <> excluded.number")],
        checkpoints::a_save_that_comes_after_a_later_one_is_ignored,
        "a save that came late";
    a_save_of_any_number_on_postgres: Postgres,
        [("checkpoint_save", "c.number < excluded.number", "c.number <> excluded.number")],
        checkpoints::a_save_that_comes_after_a_later_one_is_ignored,
        "a save that came late";
    children_that_are_weighed_by_reading_them_on_sqlite: Sqlite,
        [("continued", "r.output_bytes", "octet_length(r.output || '')")],
        children::only_outputs_that_are_answered_are_read,
        "outputs were read that are not answered";
    children_that_are_weighed_by_reading_them_on_postgres: Postgres,
        [("continued", "THEN r.output_bytes END", "THEN octet_length(r.output::text) END")],
        children::only_outputs_that_are_answered_are_read,
        "outputs were read that are not answered";
    an_order_that_is_carried_out_twice_on_sqlite: Sqlite,
        [("action_begin", "DO NOTHING", "DO UPDATE SET at = excluded.at")],
        orders::a_repeated_order_answers_what_was_recorded,
        "a repeat answers what was recorded";
    an_order_that_is_carried_out_twice_on_postgres: Postgres,
        [("action_begin", "DO NOTHING", "DO UPDATE SET at = excluded.at")],
        orders::a_repeated_order_answers_what_was_recorded,
        "a repeat answers what was recorded";
    a_bucket_without_a_key_on_sqlite: Sqlite,
        [("insert", "d.value ->> 'unique_key', d.value", "NULL, d.value")],
        schedules::a_bucket_fires_once_even_if_the_cursor_goes_back,
        "a bucket fired twice";
    a_bucket_without_a_key_on_postgres: Postgres,
        [("insert", "o.unique_key, o.unique_active_key", "NULL, o.unique_active_key")],
        schedules::a_bucket_fires_once_even_if_the_cursor_goes_back,
        "a bucket fired twice";
    an_end_that_looks_at_no_line_on_sqlite: Sqlite,
        [("settle_jobs", "limit_key AS turn", "NULL AS turn")],
        limits::whatever_ends_an_attempt_frees_its_permit_in_the_same_transaction,
        "completed";
    an_end_that_looks_at_no_line_on_postgres: Postgres,
        [("settle", "j.limit_key AS turn", "NULL::text AS turn")],
        limits::whatever_ends_an_attempt_frees_its_permit_in_the_same_transaction,
        "completed";
    a_job_that_becomes_due_beside_its_line_on_sqlite: Sqlite,
        [("promote", ", blocked_by = limit_key", "")],
        limits::whatever_makes_a_job_available_puts_it_into_its_line,
        "all of them wait";
    a_job_that_becomes_due_beside_its_line_on_postgres: Postgres,
        [("promote", ", blocked_by = j.limit_key", "")],
        limits::whatever_makes_a_job_available_puts_it_into_its_line,
        "all of them wait";
    starts_that_take_no_token_on_sqlite: Sqlite,
        [("claim_charge", " - g.starts", "")],
        limits::a_token_bucket_lets_no_more_start_in_any_time_than_it_holds_and_gets,
        "starts from";
    starts_that_take_no_token_on_postgres: Postgres,
        [("claim", "- (SELECT count(*) FROM taken t WHERE t.limit_key = k.key)", "")],
        limits::a_token_bucket_lets_no_more_start_in_any_time_than_it_holds_and_gets,
        "starts from";
    permits_that_are_given_without_holding_their_key: Postgres,
        [("turn_hold", "DO UPDATE SET key = excluded.key", "DO NOTHING")],
        rivals::a_permit_that_another_gives_at_the_same_moment_is_not_given_twice,
        "two have the one permit";
    a_schedule_that_is_added_over_another: Postgres,
        [("schedule_add", "DO NOTHING", "DO UPDATE SET next_at = excluded.next_at, last_job_id = excluded.last_job_id")],
        rivals::a_schedule_that_two_add_at_once_keeps_how_far_the_first_has_come,
        "the cursor was lost";
    a_schedule_of_an_operator_that_a_file_takes_over: Postgres,
        [("schedule_add", "DO NOTHING", "DO UPDATE SET origin = excluded.origin, every_ms = excluded.every_ms")],
        rivals::a_schedule_that_an_operator_adds_meanwhile_is_left_to_the_operator,
        "a file took it over";
    a_schedule_that_does_not_look_how_its_last_job_stands: Postgres,
        [("state", "j.id = $1", "j.id = $1 AND j.state <> 'available'")],
        rivals::a_schedule_that_was_run_a_moment_ago_overlaps_with_nothing,
        "two jobs of one schedule overlap";
    a_job_that_goes_although_it_was_retried: Postgres,
        [("prune_hold", "j.finalized_at < $2", "$2::timestamptz IS NOT NULL")],
        rivals::a_job_that_is_retried_as_it_is_found_does_not_go,
        "a job went that was retried";
    a_comparison_that_waits_for_no_other: Postgres,
        [("schedules_turn", "pg_advisory_xact_lock(8314604121742470245)", "1")],
        rivals::a_schedule_that_another_node_adds_meanwhile_goes_out_of_service_with_its_file,
        "no file has it any more";
    a_child_of_a_retried_continuation_that_goes: Postgres,
        [("prune_hold", "o.continues_run_id IS NOT NULL", "o.continues_run_id IS NULL")],
        rivals::a_continuation_that_is_retried_as_its_children_are_found_keeps_them,
        "a child of a continuation went";
    a_schedule_that_waits_for_another_node: Postgres,
        [("schedule_take", "FOR UPDATE SKIP LOCKED", "FOR UPDATE")],
        left_alone::a_schedule_that_another_node_has_is_left_to_it,
        "was held up";
    a_pruning_that_waits_for_what_others_hold: Postgres,
        [("prune_hold", "FOR UPDATE OF j SKIP LOCKED", "FOR UPDATE OF j")],
        left_alone::a_job_that_somebody_holds_is_left_for_the_next_time,
        "was held up";
    a_living_node_that_has_no_say_on_sqlite: Sqlite,
        [("policies", "n.lost_at IS NULL", "n.lost_at IS NOT NULL")],
        retention::what_any_living_node_keeps_is_kept,
        "the longest counts";
    a_living_node_that_has_no_say_on_postgres: Postgres,
        [("policies", "n.lost_at IS NULL", "n.lost_at IS NOT NULL")],
        retention::what_any_living_node_keeps_is_kept,
        "the longest counts";
    a_log_of_sqlite_that_is_not_begun_anew: Sqlite,
        [("wal_begin_anew", "TRUNCATE", "PASSIVE")],
        growth::the_log_is_small_again_when_a_long_reader_has_gone,
        "the log stayed as it was";
    a_job_of_a_barrier_that_goes_on_sqlite: Sqlite,
        [("prune_hold", "b.job_id = j.id", "b.job_id = '' AND b.job_id = j.id")],
        retention::a_job_whose_barrier_has_not_fired_stays_with_its_children,
        "a job of a barrier went";
    a_job_of_a_barrier_that_goes_on_postgres: Postgres,
        [("prune_hold", "b.job_id = j.id", "false AND b.job_id = j.id")],
        retention::a_job_whose_barrier_has_not_fired_stays_with_its_children,
        "a job of a barrier went";
    a_child_of_a_barrier_that_goes_on_sqlite: Sqlite,
        [("prune_hold", "b.run_id = j.parent_run_id", "b.run_id = '' AND b.run_id = j.parent_run_id")],
        retention::a_job_whose_barrier_has_not_fired_stays_with_its_children,
        "a job of a barrier went";
    a_child_of_a_barrier_that_goes_on_postgres: Postgres,
        [("prune_hold", "b.run_id = j.parent_run_id", "false AND b.run_id = j.parent_run_id")],
        retention::a_job_whose_barrier_has_not_fired_stays_with_its_children,
        "a job of a barrier went";
    a_child_of_a_continuation_that_goes_on_sqlite: Sqlite,
        [("prune_hold", "o.continues_run_id IS NOT NULL", "o.continues_run_id IS NULL")],
        retention::the_children_of_a_continuation_stay_until_it_has_ended,
        "a child of a continuation went";
    a_child_of_a_continuation_that_goes_on_postgres: Postgres,
        [("prune_hold", "o.continues_run_id IS NOT NULL", "o.continues_run_id IS NULL")],
        retention::the_children_of_a_continuation_stay_until_it_has_ended,
        "a child of a continuation went";
    a_barrier_that_keeps_no_job_from_a_deletion_on_sqlite: Sqlite,
        [("doomed", "b.job_id = j.id", "b.job_id = '' AND b.job_id = j.id")],
        deletions::what_a_barrier_still_needs_is_not_deleted,
        "what a barrier needs went";
    a_barrier_that_keeps_no_job_from_a_deletion_on_postgres: Postgres,
        [("doomed", "b.job_id = j.id", "false AND b.job_id = j.id")],
        deletions::what_a_barrier_still_needs_is_not_deleted,
        "what a barrier needs went";
    a_barrier_that_keeps_no_child_from_a_deletion_on_sqlite: Sqlite,
        [("doomed", "b.run_id = j.parent_run_id", "b.run_id = '' AND b.run_id = j.parent_run_id")],
        deletions::what_a_barrier_still_needs_is_not_deleted,
        "what a barrier needs went";
    a_barrier_that_keeps_no_child_from_a_deletion_on_postgres: Postgres,
        [("doomed", "b.run_id = j.parent_run_id", "false AND b.run_id = j.parent_run_id")],
        deletions::what_a_barrier_still_needs_is_not_deleted,
        "what a barrier needs went";
    a_continuation_that_keeps_no_child_from_a_deletion_on_sqlite: Sqlite,
        [("doomed", "o.continues_run_id IS NOT NULL", "o.continues_run_id IS NULL")],
        deletions::what_a_continuation_still_needs_is_not_deleted,
        "what a continuation needs went";
    a_continuation_that_keeps_no_child_from_a_deletion_on_postgres: Postgres,
        [("doomed", "o.continues_run_id IS NOT NULL", "o.continues_run_id IS NULL")],
        deletions::what_a_continuation_still_needs_is_not_deleted,
        "what a continuation needs went";
}
