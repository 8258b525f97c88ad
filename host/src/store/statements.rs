//! The texts of the statements, by name. A dialect can't forget one, and a test can prepare them all.
//!
//! A text that both databases share names its tables as PostgreSQL does, in the schema `flyball`; SQLite, which has
//! none, reads it without.

use super::StoreError;

/// A set of statements: a field for each, and all of them by name.
macro_rules! statements {
    ($(#[$doc:meta])* $set:ident { $($name:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(super) struct $set {
            $(pub(super) $name: &'static str,)+
        }

        impl $set {
            /// Every statement with its name.
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)+]
            }

            /// The statement of this name, to be replaced.
            pub(super) fn named(&mut self, name: &str) -> Option<&mut &'static str> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)+
                    _ => None,
                }
            }
        }
    };
}
pub(super) use statements;

statements! {
    /// What the verbs that are the same for both databases run.
    Statements {
    action_answer, action_begin, action_leave, action_read, actions, ahead, barriers_drop, barriers_fire, barriers_lock, barriers_set, batch, cancel_running, cancel_waiting, cancels, checkpoint, checkpoint_end, checkpoint_save, checkpoints_drop, children, continued, counts, doomed, ended, failures, families, footprint, health, hold, insert, insert_find, job, jobs_lock, keyed, kind, kind_pause, kind_resume, kinds, lanes, last_run, late_note, late_read, limit_keys_forget, limit_lines, limit_put, limit_put_running, limit_remove, limit_walk_go, limit_walk_put, limit_walk_see, limit_walk_take, limits, limits_hold, list, list_children, list_these, log, log_tail, next_due, node_alive, node_leave, node_register, node_renew, nodes, orphans, parent, pause, ping, policies, progress, promote, prune_actions, prune_actions_count, prune_checkpoints, prune_find, prune_hold, prune_jobs, prune_lines, prune_log_queues, prune_logs, prune_nodes, prune_nodes_count, prune_old_logs, prune_runs, prune_weigh, publish_kinds, publish_node, queue_pause, queue_resume, queues_paused, rare, renew_compare, replay, reprioritise, reschedule, resume, retry, retry_holders, run, running, running_free, runs, schedule_add, schedule_broken, schedule_change, schedule_fired, schedule_lock, schedule_own, schedule_passed, schedule_remove, schedule_take, schedules, schedules_due, schedules_next, schedules_turn, select, select_children, select_these, state, turn_admit, turn_count, turn_hold, turn_note, turns_due, waiting, walk,
    }
}

/// The texts of a dialect: its own, and the shared ones as `shared` reads them. `free` ends those that take only what
/// nobody holds, and hold it until the transaction ends; nothing where there is one writer. `these` is how
/// the road to the jobs of $17 begins.
macro_rules! texts {
    ($own:literal, $shared:expr, $free:literal, $these:literal) => {{
        macro_rules! own {
            ($verb:literal) => {
                include_str!(concat!("../sql/", $verb, ".", $own, ".sql"))
            };
        }
        macro_rules! shared {
            ($verb:literal) => {
                ($shared)(include_str!(concat!("../sql/", $verb, ".sql")))
            };
        }
        macro_rules! free {
            ($verb:literal) => {
                ($shared)(concat!(include_str!(concat!("../sql/", $verb, ".sql")), $free))
            };
        }
        let roads = $crate::store::roads::Roads::new(own!("list"), $these);
        $crate::store::statements::Statements {
            action_answer: own!("action_answer"),
            action_begin: shared!("action_begin"),
            action_leave: shared!("action_leave"),
            action_read: shared!("action_read"),
            actions: shared!("actions"),
            ahead: shared!("ahead"),
            barriers_drop: own!("barriers_drop"),
            barriers_fire: own!("barriers_fire"),
            barriers_lock: own!("barriers_lock"),
            barriers_set: own!("barriers_set"),
            batch: shared!("batch"),
            cancel_running: own!("cancel_running"),
            cancel_waiting: own!("cancel_waiting"),
            cancels: shared!("cancels"),
            checkpoint: shared!("checkpoint"),
            checkpoint_end: shared!("checkpoint_end"),
            checkpoint_save: own!("checkpoint_save"),
            checkpoints_drop: own!("checkpoints_drop"),
            children: own!("children"),
            continued: own!("continued"),
            counts: shared!("counts"),
            doomed: own!("doomed"),
            ended: own!("ended"),
            failures: own!("failures"),
            families: own!("families"),
            health: shared!("health"),
            footprint: own!("footprint"),
            hold: shared!("hold"),
            insert: $crate::store::statements::with_line(own!("insert"), own!("limit_key")),
            insert_find: own!("insert_find"),
            job: shared!("job"),
            jobs_lock: own!("jobs_lock"),
            kind: shared!("kind"),
            keyed: shared!("keyed"),
            kind_pause: shared!("kind_pause"),
            kind_resume: shared!("kind_resume"),
            kinds: shared!("kinds"),
            lanes: shared!("lanes"),
            last_run: shared!("last_run"),
            late_note: own!("late_note"),
            late_read: own!("late_read"),
            limit_keys_forget: own!("limit_keys_forget"),
            limit_lines: own!("limit_lines"),
            limit_put: own!("limit_put"),
            limit_put_running: $crate::store::statements::with_line(
                own!("limit_put_running"),
                own!("limit_key"),
            ),
            limit_remove: shared!("limit_remove"),
            limit_walk_go: shared!("limit_walk_go"),
            limit_walk_put: $crate::store::statements::with_line(own!("limit_walk_put"), own!("limit_key")),
            limit_walk_see: own!("limit_walk_see"),
            limit_walk_take: own!("limit_walk_take"),
            limits: shared!("limits"),
            limits_hold: own!("limits_hold"),
            list: roads.list,
            list_children: roads.list_children,
            list_these: roads.list_these,
            log: shared!("log"),
            log_tail: shared!("log_tail"),
            next_due: own!("next_due"),
            node_alive: shared!("node_alive"),
            node_leave: own!("node_leave"),
            node_register: own!("node_register"),
            node_renew: own!("node_renew"),
            nodes: shared!("nodes"),
            orphans: free!("orphans"),
            parent: shared!("parent"),
            pause: own!("pause"),
            ping: shared!("ping"),
            policies: shared!("policies"),
            progress: own!("progress"),
            promote: own!("promote"),
            prune_actions: shared!("prune_actions"),
            prune_actions_count: shared!("prune_actions_count"),
            prune_checkpoints: own!("prune_checkpoints"),
            prune_find: own!("prune_find"),
            prune_hold: own!("prune_hold"),
            prune_jobs: own!("prune_jobs"),
            prune_lines: own!("prune_lines"),
            prune_log_queues: own!("prune_log_queues"),
            prune_logs: own!("prune_logs"),
            prune_nodes: shared!("prune_nodes"),
            prune_nodes_count: shared!("prune_nodes_count"),
            prune_old_logs: own!("prune_old_logs"),
            prune_runs: own!("prune_runs"),
            prune_weigh: own!("prune_weigh"),
            publish_kinds: own!("publish_kinds"),
            publish_node: own!("publish_node"),
            queue_pause: shared!("queue_pause"),
            queue_resume: shared!("queue_resume"),
            queues_paused: shared!("queues_paused"),
            rare: own!("rare"),
            renew_compare: own!("renew_compare"),
            replay: own!("replay"),
            reprioritise: own!("reprioritise"),
            reschedule: own!("reschedule"),
            resume: own!("resume"),
            retry: own!("retry"),
            retry_holders: own!("retry_holders"),
            run: shared!("run"),
            running: shared!("running"),
            running_free: free!("running"),
            runs: shared!("runs"),
            schedule_add: own!("schedule_add"),
            schedule_broken: shared!("schedule_broken"),
            schedule_change: own!("schedule_change"),
            schedule_fired: shared!("schedule_fired"),
            schedule_lock: own!("schedule_lock"),
            schedule_own: own!("schedule_own"),
            schedule_passed: shared!("schedule_passed"),
            schedule_remove: shared!("schedule_remove"),
            schedule_take: own!("schedule_take"),
            schedules: shared!("schedules"),
            schedules_due: shared!("schedules_due"),
            schedules_next: shared!("schedules_next"),
            schedules_turn: own!("schedules_turn"),
            state: shared!("state"),
            select: roads.select,
            select_children: roads.select_children,
            select_these: roads.select_these,
            turn_admit: own!("turn_admit"),
            turn_count: own!("turn_count"),
            turn_hold: own!("turn_hold"),
            turn_note: own!("turn_note"),
            turns_due: shared!("turns_due"),
            waiting: own!("waiting"),
            walk: shared!("walk"),
        }
    }};
}
pub(super) use texts;

/// A text that puts jobs into the lines of their limits, with the expression that says which. Made once for each.
pub(super) fn with_line(text: &str, line: &str) -> &'static str {
    let code = line.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    String::leak(text.replace("{limit_key}", &code))
}

/// A change to one statement's text, made to see that a test notices.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// The statement's name.
    pub statement: &'static str,
    /// A piece of its text, which must stand there exactly once.
    pub from: &'static str,
    /// What stands there instead.
    pub to: &'static str,
}

impl Edit {
    /// Makes the change to one of the texts.
    pub(super) fn apply(&self, text: &mut &'static str) -> Result<(), StoreError> {
        if text.matches(self.from).count() == 1 {
            // Statements live as long as the process; only tests come here.
            *text = String::leak(text.replacen(self.from, self.to, 1));
            return Ok(());
        }
        let Self { statement, from, .. } = self;
        Err(StoreError::Schema(format!("{statement} does not say {from:?} exactly once")))
    }
}
