//! A record for people: every column that has a value, one a line.

use crate::job::visible;

/// Prints it. What workers and users wrote is made harmless to look at.
pub(super) fn print_fields(record: &serde_json::Value) {
    for (name, value) in record.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => say!("  {name:<20} {}", visible(text)),
            other => say!("  {name:<20} {}", visible(&other.to_string())),
        }
    }
}
