//! The consumer of events that writes them to the log: per-job lines at debug, losses and refusals at warn.

use tokio_util::sync::CancellationToken;

use crate::event::{Consumer, Event, Finished, JobRef};
use crate::service::ServiceError;

/// The service that logs events, until it is told to stop; then it logs those that are already queued.
///
/// # Errors
/// None; the signature is a service's.
pub async fn log_events(consumer: &mut Consumer, token: &CancellationToken) -> Result<(), ServiceError> {
    let mut dropped = 0;
    while let Some(Some(event)) = token.run_until_cancelled(consumer.next()).await {
        log(&event);
        if consumer.dropped() > dropped {
            tracing::warn!(
                events = consumer.dropped() - dropped,
                "the log fell behind; events were dropped from it"
            );
            dropped = consumer.dropped();
        }
    }
    while let Some(event) = consumer.waiting() {
        log(&event);
    }
    Ok(())
}

/// Whether an event is logged as the log is set now. What is not has no place in the queue: a fan-out of thousands of jobs
/// leaves the room to what is worth a warning.
pub fn is_logged(event: &Event) -> bool {
    match event {
        Event::JobStarted { .. }
        | Event::JobFinished(_)
        | Event::JobsPromoted { .. }
        | Event::JobEnqueued { .. }
        | Event::ScheduleFired { .. }
        | Event::JobsPruned { .. } => tracing::enabled!(tracing::Level::DEBUG),
        Event::JobSuperseded { .. }
        | Event::JobReclaimed { .. }
        | Event::PluginLoaded { .. }
        | Event::PluginRefused { .. }
        | Event::PluginRemoved { .. }
        | Event::GrantDenied { .. }
        | Event::NodeLost { .. }
        | Event::LeaseLost { .. }
        | Event::ScheduleBroken { .. }
        | Event::ServiceRestarted { .. } => true,
    }
}

fn log(event: &Event) {
    match event {
        Event::JobStarted { job, wait } => {
            let JobRef { job, run, kind, queue, attempt } = job;
            tracing::debug!(job_id = %job, run_id = %run, %kind, %queue, attempt, ?wait, "job started");
        }
        Event::JobFinished(finished) => log_finished(finished),
        Event::JobSuperseded { job: JobRef { job, run, kind, queue, attempt } } => {
            tracing::warn!(job_id = %job, run_id = %run, %kind, %queue, attempt, "an outcome came too late");
        }
        Event::JobReclaimed { job: JobRef { job, run, kind, queue, attempt }, state, outcome } => {
            tracing::warn!(job_id = %job, run_id = %run, %kind, %queue, attempt, %state, %outcome, "job reclaimed");
        }
        Event::JobsPromoted { count } => tracing::debug!(count, "due jobs are available"),
        Event::JobEnqueued { job, kind, queue, duplicate } => {
            tracing::debug!(job_id = %job, %kind, %queue, duplicate, "job enqueued");
        }
        Event::PluginLoaded { kind, digest, took } => {
            tracing::info!(%kind, digest, ?took, "plugin in service")
        }
        Event::PluginRefused { kind, reason } => tracing::warn!(%kind, reason, "plugin refused"),
        Event::PluginRemoved { kind } => tracing::info!(%kind, "plugin out of service"),
        Event::GrantDenied { kind, grant, hint } => tracing::warn!(%kind, grant, hint, "grant denied"),
        Event::NodeLost { node } => tracing::warn!(%node, "a node is dead"),
        Event::LeaseLost { attempts } => tracing::warn!(attempts, "this node could not renew its lease"),
        Event::ScheduleFired { slug, enqueued, repeated, skipped } => {
            tracing::debug!(schedule = %slug, enqueued, repeated, skipped, "schedule fired");
        }
        Event::ScheduleBroken { slug, error } => {
            tracing::warn!(schedule = %slug, error, "a schedule is due and can't be fired");
        }
        Event::JobsPruned { kind, queue, count } => tracing::debug!(%kind, %queue, count, "jobs deleted"),
        Event::ServiceRestarted { service, reason } => tracing::warn!(service, reason, "service restarted"),
    }
}

fn log_finished(finished: &Finished) {
    let Finished { job, outcome, error_class, error_message, state, duration, meter } = finished;
    let JobRef { job, run, kind, queue, attempt } = job;
    tracing::debug!(
        job_id = %job, run_id = %run, %kind, %queue, attempt, %outcome, %state, ?duration,
        error_class = error_class.map(tracing::field::display),
        error = error_message.as_deref(),
        fuel = meter.fuel_used,
        "job finished"
    );
}
