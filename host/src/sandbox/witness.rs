//! Two lines at debug level that say from when to when a guest ran: nothing of it before the one, nothing after the
//! other. Tests kill processes and read them, so they are emitted by whoever runs the guest, at that instant.

use super::GuestJob;

const TARGET: &str = "flyball::attempt";

/// Says `guest started` when it is made and `guest ended` when it is dropped: to be made before the store, and so
/// dropped after it, by whatever road.
pub(super) struct Witness<'a>(&'a GuestJob);

impl<'a> Witness<'a> {
    pub(super) fn of(job: &'a GuestJob) -> Self {
        let GuestJob { id, run, kind, tries, .. } = job;
        tracing::debug!(target: TARGET, job_id = %id, run_id = %run, kind = %kind, attempt = tries.attempt, "guest started");
        Self(job)
    }
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        let GuestJob { id, run, kind, tries, .. } = self.0;
        tracing::debug!(target: TARGET, job_id = %id, run_id = %run, kind = %kind, attempt = tries.attempt, "guest ended");
    }
}
