//! The list, kept by every language.

use super::{calls, durations, endings, family};

macro_rules! in_every_language {
    ($($room:ident: $($promise:ident),+;)+) => {
        in_every_language!(@ rust "echo" $($room: $($promise),+;)+);
        in_every_language!(@ python "python-echo" $($room: $($promise),+;)+);
        in_every_language!(@ javascript "js-echo" $($room: $($promise),+;)+);
        in_every_language!(@ starlingmonkey "starlingmonkey-echo" $($room: $($promise),+;)+);
        in_every_language!(@ c "c-echo" $($room: $($promise),+;)+);
    };
    (@ $language:ident $guest:literal $($room:ident: $($promise:ident),+;)+) => {
        mod $language {
            $($(#[tokio::test]
            async fn $promise() -> anyhow::Result<()> {
                match super::super::Spoken::find($guest).await? {
                    Some(spoken) => super::$room::$promise(&spoken).await,
                    None => Ok(()),
                }
            })+)+
        }
    };
}

in_every_language! {
    calls:
        args_arrive_as_they_were_enqueued_and_the_job_with_them,
        the_output_is_any_json_or_nothing,
        a_worker_says_its_schema_its_defaults_and_what_it_needs,
        log_lines_have_their_level_and_their_fields,
        what_is_written_to_stdout_and_stderr_becomes_log_lines,
        progress_and_cost_are_told,
        two_attempts_draw_different_numbers;
    endings:
        each_error_class_arrives_with_message_detail_and_delay,
        a_failure_says_no_more_than_it_was_told,
        what_nobody_caught_is_transient_and_says_what_it_was,
        a_snooze_has_its_delay_and_a_cancel_its_reason,
        a_wish_to_stop_is_seen_while_the_worker_works;
    family:
        a_follow_up_has_all_that_was_said_of_it,
        a_refused_follow_up_can_be_caught_and_is_permanent_if_it_is_not,
        a_barrier_is_set_behind_the_follow_ups,
        children_are_read_to_the_last_with_their_outputs_and_errors,
        a_checkpoint_is_there_in_the_next_attempt;
}

macro_rules! where_a_number_could_be_a_duration {
    ($($language:ident $guest:literal),+ $(,)?) => {
        $(in_every_language!(@ $language $guest durations: a_bare_number_is_no_duration, a_duration_is_text_with_a_unit;);)+
    };
}

where_a_number_could_be_a_duration! {
    durations_in_python "python-echo",
    durations_in_javascript "js-echo",
    durations_in_starlingmonkey "starlingmonkey-echo",
}
