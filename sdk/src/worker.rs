//! The macro that turns a function into a worker.

/// Makes a function the worker of this component.
///
/// The function takes the typed args and the [`Job`](crate::Job), and returns a `Result`: its
/// `Ok` is anything that serde can write, or an [`Outcome`](crate::Outcome); its `Err` is a
/// [`Failure`](crate::Failure) or anything that turns into one. After the function comes a
/// summary of one line, then, in any order, what the worker wishes for its jobs: each key is a
/// method of [`Description`](crate::Description). Quantities are text as in a manifest, and are
/// checked when the worker is compiled.
///
/// ```
/// # use flyball_worker::{Job, Result, serde_json::Value};
/// fn run(_args: Value, job: &Job) -> Result<u32> {
///     Ok(job.attempt)
/// }
///
/// flyball_worker::worker! {
///     run,
///     summary: "Says which attempt this is",
///     timeout: "30s",
///     fuel: "5G",
///     memory: "64MiB",
///     max_attempts: 5,
///     backoff_base: "2s",
///     backoff_cap: "10m",
///     needs: &["enqueue:report"],
/// }
/// # fn main() {}
/// ```
///
/// A quantity that is none does not compile:
///
/// ```compile_fail
/// # fn run(_: u8, _: &flyball_worker::Job) -> flyball_worker::Result<()> { Ok(()) }
/// flyball_worker::worker! { run, summary: "Waits", timeout: "half a minute" }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! worker {
    ($run:expr, summary: $summary:expr $(, $key:ident: $value:expr)* $(,)?) => {
        const _: () = {
            const DESCRIPTION: $crate::Description =
                $crate::Description::new($summary)$(.$key($value))*;

            struct Worker;

            impl $crate::bindings::Guest for Worker {
                fn describe() -> $crate::bindings::flyball::worker::types::Description {
                    $crate::__private::describe($run, &DESCRIPTION)
                }

                fn run(
                    job: $crate::Job,
                ) -> ::core::result::Result<
                    $crate::bindings::Outcome,
                    $crate::bindings::Failure,
                > {
                    $crate::__private::attempt($run, &job)
                }
            }

            $crate::bindings::export!(Worker with_types_in $crate::bindings);
        };
    };
}
