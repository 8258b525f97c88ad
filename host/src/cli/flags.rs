//! `flyball queues pause|resume` and `flyball kinds pause|resume`.

use super::Exit;
use crate::client::Client;
use crate::store::{Flag, FlagSet, Flagged};

/// Carries out an order for each that is named, and tells what became of it.
pub(super) async fn set(
    client: &Client,
    flagged: impl IntoIterator<Item = Flagged>,
    flag: Flag,
    json: bool,
) -> anyhow::Result<Exit> {
    let word = match flag {
        Flag::Pause => "paused",
        Flag::Resume => "resumed",
    };
    for flagged in flagged {
        let answer = client.flag(&flagged, flag).await?;
        if json {
            let (column, name) = match &flagged {
                Flagged::Queue(queue) => ("queue", queue.as_str()),
                Flagged::Kind(kind) => ("kind", kind.as_str()),
            };
            say!("{}", serde_json::json!({ column: name, "answer": answer }));
            continue;
        }
        match (answer, flag) {
            (FlagSet::Set, _) => say!("{flagged} {word}"),
            (FlagSet::AsItWas, Flag::Pause) => say!("{flagged} is paused already"),
            (FlagSet::AsItWas, Flag::Resume) => say!("{flagged} is not paused"),
        }
    }
    Ok(Exit::Done)
}
