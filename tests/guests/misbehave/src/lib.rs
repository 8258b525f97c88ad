//! Does in `run` what no worker should. Which of it, the args say: `{"do": "spin"}`. It speaks the
//! contract without the SDK's help, because the SDK would not let it return rubbish. What each must
//! end as stands in `../../misbehaviour.toml`.

mod channels;
mod families;
mod handles;
mod hoards;
mod memory;
mod outside;
mod time;
mod values;

use flyball_worker::bindings::flyball::worker::types::{Defaults, Description, ErrorClass};
use flyball_worker::bindings::{Failure, Guest, Job, Outcome, export};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Deed {
    // Time.
    Spin,
    Sleep,
    CallCheaply,
    PollReady,
    PollNothing,
    PollMany,
    SpinUnstoppably,
    SleepUnstoppably,
    FillMemory {
        bytes: usize,
    },
    // Memory and stack.
    EatMemory,
    EatMemoryAndGoOn,
    Recurse,
    RecurseWithArrays,
    // Traps.
    Trap,
    TrapUnderALongName,
    Panic,
    Exit {
        code: u8,
    },
    // Values.
    Return {
        what: values::Rubbish,
    },
    ReturnBytes {
        bytes: usize,
    },
    FailWith {
        what: values::Complaint,
    },
    AbsurdNumbers,
    SnoozeForEver,
    // Channels.
    Shout {
        bytes: usize,
    },
    ShoutWithoutEnd {
        bytes: usize,
    },
    FloodLog {
        lines: u32,
    },
    LogAtLength {
        bytes: usize,
    },
    LogOneMegabyteManyTimes,
    LogInARow {
        bytes: usize,
        times: usize,
    },
    /// All at once, without asking how much it may.
    ShoutAtOnce {
        bytes: usize,
    },
    WhisperCarriageReturns {
        lines: usize,
    },
    FloodProgress {
        reports: u32,
    },
    AskForFollowUps {
        /// Left out: the job's own kind.
        kind: Option<String>,
        count: u32,
        #[serde(default)]
        go_on: bool,
    },
    AskForRubbish,
    // Families and checkpoints.
    SetBarriers {
        /// Left out: the job's own kind.
        kind: Option<String>,
        count: u32,
        bytes: usize,
    },
    AskForChildren {
        times: u32,
    },
    SaveCheckpoint {
        bytes: usize,
    },
    SaveCheckpointsWithoutEnd {
        bytes: usize,
    },
    LoadCheckpointsWithoutEnd {
        bytes: usize,
    },
    // Handles and the world outside.
    LeakHandles,
    AskForRandomness {
        bytes: u64,
    },
    HoardRequests {
        bytes: usize,
    },
    HoardBodies,
    HoardFields,
    LookAround,
}

struct Worker;

impl Guest for Worker {
    fn describe() -> Description {
        Description {
            summary: "Does what no worker should".into(),
            args_schema: None,
            defaults: Defaults::default(),
            needs: Vec::new(),
        }
    }

    fn run(job: Job) -> Result<Outcome, Failure> {
        let deed = serde_json::from_str(&job.args)
            .map_err(|error| failure(ErrorClass::Validation, format!("args: {error}")))?;
        perform(deed, &job)
    }
}

fn perform(deed: Deed, job: &Job) -> Result<Outcome, Failure> {
    match deed {
        Deed::Spin => time::spin(),
        Deed::Sleep => time::sleep(),
        Deed::CallCheaply => time::call_cheaply(),
        Deed::PollReady => time::poll_ready(),
        Deed::PollNothing => time::poll_nothing(),
        Deed::PollMany => time::poll_many(),
        Deed::SpinUnstoppably => time::spin_unstoppably(),
        Deed::SleepUnstoppably => time::sleep_unstoppably(),
        Deed::FillMemory { bytes } => time::fill_memory(bytes),
        Deed::EatMemory => memory::eat(),
        Deed::EatMemoryAndGoOn => memory::eat_and_go_on(),
        Deed::Recurse => done(memory::recurse(1)),
        Deed::RecurseWithArrays => done(memory::recurse_with_arrays(1)),
        Deed::Trap => core::arch::wasm32::unreachable(),
        Deed::TrapUnderALongName => trap_under_a_long_name(),
        Deed::Panic => panic!("this worker panics, as it was told to"),
        Deed::Exit { code } => std::process::exit(code.into()),
        Deed::Return { what } => values::rubbish(what),
        Deed::ReturnBytes { bytes } => values::bytes(bytes),
        Deed::FailWith { what } => Err(values::complaint(what)),
        Deed::AbsurdNumbers => values::absurd_numbers(),
        Deed::SnoozeForEver => Ok(Outcome::Snooze(u64::MAX)),
        Deed::Shout { bytes } => channels::shout(bytes),
        Deed::ShoutWithoutEnd { bytes } => channels::shout_without_end(bytes),
        Deed::FloodLog { lines } => channels::flood_log(lines),
        Deed::LogAtLength { bytes } => channels::log_at_length(bytes),
        Deed::LogOneMegabyteManyTimes => channels::log_one_megabyte_many_times(),
        Deed::LogInARow { bytes, times } => channels::log_in_a_row(bytes, times),
        Deed::ShoutAtOnce { bytes } => channels::shout_at_once(bytes),
        Deed::WhisperCarriageReturns { lines } => channels::whisper_carriage_returns(lines),
        Deed::FloodProgress { reports } => channels::flood_progress(reports),
        Deed::AskForFollowUps { kind, count, go_on: false } => {
            channels::ask_until_refused(kind.unwrap_or(job.kind.clone()), count)
        }
        Deed::AskForFollowUps { kind, count, go_on: true } => {
            channels::ask_and_go_on(kind.unwrap_or(job.kind.clone()), count)
        }
        Deed::AskForRubbish => channels::ask_for_rubbish(&job.kind),
        Deed::SetBarriers { kind, count, bytes } => {
            families::set_barriers(&kind.unwrap_or(job.kind.clone()), count, bytes)
        }
        Deed::AskForChildren { times } => families::ask_for_children(times),
        Deed::SaveCheckpoint { bytes } => families::save(bytes),
        Deed::SaveCheckpointsWithoutEnd { bytes } => families::save_without_end(bytes),
        Deed::LoadCheckpointsWithoutEnd { bytes } => families::load_without_end(bytes),
        Deed::LeakHandles => handles::leak(),
        Deed::AskForRandomness { bytes } => handles::ask_for_randomness(bytes),
        Deed::HoardRequests { bytes } => hoards::requests(bytes),
        Deed::HoardBodies => hoards::bodies(),
        Deed::HoardFields => hoards::fields(),
        Deed::LookAround => outside::look_around(),
    }
}

/// By the rules of C++ this name has more characters, written out, than a machine has bytes: each of its types holds the
/// one before sixteen times.
#[unsafe(export_name = "_Z1f1AIiiiiiiiiiiiiiiiiE1BIS0_S0_S0_S0_S0_S0_S0_S0_S0_S0_S0_S0_S0_S0_S0_S0_E1CIS2_S2\
    _S2_S2_S2_S2_S2_S2_S2_S2_S2_S2_S2_S2_S2_S2_E1DIS4_S4_S4_S4_S4_S4_S4_S4_S4_S4_S4_S4_S\
    4_S4_S4_S4_E1EIS6_S6_S6_S6_S6_S6_S6_S6_S6_S6_S6_S6_S6_S6_S6_S6_E1FIS8_S8_S8_S8_S8_S8\
    _S8_S8_S8_S8_S8_S8_S8_S8_S8_S8_E1GISA_SA_SA_SA_SA_SA_SA_SA_SA_SA_SA_SA_SA_SA_SA_SA_E\
    1HISC_SC_SC_SC_SC_SC_SC_SC_SC_SC_SC_SC_SC_SC_SC_SC_E1IISE_SE_SE_SE_SE_SE_SE_SE_SE_SE\
    _SE_SE_SE_SE_SE_SE_E1JISG_SG_SG_SG_SG_SG_SG_SG_SG_SG_SG_SG_SG_SG_SG_SG_E")]
#[expect(unsafe_code, reason = "the name of a function is what this is about")]
extern "C" fn trap_under_a_long_name() -> ! {
    core::arch::wasm32::unreachable()
}

/// Completes with a value whose debug form is JSON.
fn done(output: impl std::fmt::Debug) -> Result<Outcome, Failure> {
    Ok(Outcome::Complete(Some(format!("{output:?}"))))
}

fn failure(class: ErrorClass, message: String) -> Failure {
    Failure { class, message, detail: None, retry_after_ms: None }
}

export!(Worker with_types_in flyball_worker::bindings);
