//! The request on whose behalf something is done, carried from the caller to the jobs that it enqueues.

use std::sync::Arc;

use crate::job::{AdmitError, InsertOpts, JsonError};

tokio::task_local! {
    static REQUEST_ID: Arc<str>;
}

/// Runs something on behalf of a request: jobs that it enqueues carry the id, unless their metadata names another.
/// Whatever is spawned inside begins without it.
pub async fn with_request_id<T>(id: &str, work: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(id.into(), work).await
}

/// The request on whose behalf this is done.
pub fn request_id() -> Option<Arc<str>> {
    REQUEST_ID.try_with(Arc::clone).ok()
}

/// Puts the caller's request into what it asks for.
pub(super) fn carry(opts: &mut InsertOpts) -> Result<(), AdmitError> {
    match request_id() {
        Some(id) => add(opts, &id),
        None => Ok(()),
    }
}

fn add(opts: &mut InsertOpts, id: &str) -> Result<(), AdmitError> {
    let given = opts.metadata.as_deref().unwrap_or("{}");
    let refused = |error: serde_json::Error| AdmitError::Metadata(JsonError::Refused(error.to_string()));
    // Only a key is added: the rest stays as it was written, to be checked by the admission.
    let Ok(entries) = serde_json::from_str::<serde_json::Map<_, _>>(given) else { return Ok(()) };
    if entries.contains_key("request_id") {
        return Ok(());
    }
    let id = serde_json::to_string(id).map_err(refused)?;
    let rest = given.trim_start().trim_start_matches('{');
    let comma = if entries.is_empty() { "" } else { "," };
    opts.metadata = Some(format!("{{\"request_id\":{id}{comma}{rest}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Kind;

    #[tokio::test]
    async fn the_callers_request_is_carried_unless_the_job_names_another() {
        let cases = [
            (None, r#"{"request_id":"r\"1"}"#),
            (Some("{}"), r#"{"request_id":"r\"1"}"#),
            (Some(r#" {"a":1.50}"#), r#"{"request_id":"r\"1","a":1.50}"#),
            (Some(r#"{"request_id":"mine"}"#), r#"{"request_id":"mine"}"#),
            // For the admission to refuse.
            (Some("[]"), "[]"),
        ];
        for (given, expected) in cases {
            let mut opts = InsertOpts::new(Kind::new("work").expect("valid"), "{}");
            opts.metadata = given.map(str::to_owned);
            with_request_id("r\"1", async { carry(&mut opts) }).await.expect("carried");
            assert_eq!(opts.metadata.as_deref(), Some(expected));
        }
        assert_eq!(request_id(), None);
    }
}
