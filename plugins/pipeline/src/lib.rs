//! Hands each of many documents to the worker for its format: one follow-up a document. They are
//! enqueued together when this job completes, or not at all.

use flyball_worker::{Job, Result, follow_up, log, progress, worker};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Args {
    documents: Vec<Document>,
}

#[derive(Deserialize, JsonSchema)]
struct Document {
    name: String,
    text: String,
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Text,
    Markdown,
}

impl Format {
    fn kind(self) -> &'static str {
        match self {
            Self::Text => "word-count",
            Self::Markdown => "markdown",
        }
    }
}

#[derive(Serialize)]
struct Asked {
    documents: usize,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

fn run(args: Args, _job: &Job) -> Result<Asked> {
    let all = args.documents.len();
    for (done, document) in args.documents.iter().enumerate() {
        follow_up(document.format.kind())
            .args(&Text { text: &document.text })?
            .tag(tag(&document.name))
            .add()?;
        progress((done + 1) as f64 / all as f64, document.name.as_str());
    }
    log::info!(documents = all, "asked for one job a document");
    Ok(Asked { documents: all })
}

/// `document:<name>`, as much of the name as a tag holds: 64 bytes.
fn tag(name: &str) -> String {
    let mut tag = format!("document:{name}");
    tag.truncate(tag.floor_char_boundary(64));
    tag
}

worker! {
    run,
    summary: "Hands each of many documents to the worker for its format",
    needs: &["enqueue:word-count", "enqueue:markdown"],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_on_a_character() {
        assert_eq!(tag("a.md"), "document:a.md");
        let long = tag(&"é".repeat(40));
        assert_eq!(long.len(), 63);
        assert!(long.ends_with('é'));
    }
}
