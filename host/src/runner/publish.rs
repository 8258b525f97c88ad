//! Publishing: the database learns which kinds this node serves, with their schemas and defaults.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Runners;
use crate::job::NodeId;
use crate::plugin::Catalog;
use crate::service::ServiceError;

/// How often to look whether the node goes by another id, or a publication failed.
const LOOK: Duration = Duration::from_secs(1);

impl Runners {
    /// The service that publishes the catalog whenever it changed, and again when the node goes by another id.
    pub async fn publish_kinds(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let mut changes = context.catalog.clone();
        let mut published: Option<(NodeId, Arc<Catalog>)> = None;
        loop {
            let node = context.lease.node();
            let catalog = changes.borrow_and_update().clone();
            let current = published.as_ref().is_some_and(|(n, c)| *n == node && Arc::ptr_eq(c, &catalog));
            if !current {
                match context.store.publish(node, &catalog.published(), context.clock.now()).await {
                    Ok(()) => published = Some((node, catalog)),
                    Err(error) => tracing::warn!(%error, "the kinds of this node were not published"),
                }
            }
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                Ok(()) = changes.changed() => {}
                () = context.clock.sleep(LOOK) => {}
            }
        }
    }
}
