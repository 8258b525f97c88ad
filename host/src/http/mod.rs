//! Being asked over HTTP: whether the node is alive, and whether it is ready. Views are handed in by the composition
//! root; nothing here knows the runner or waits for the database.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::service::ServiceError;

/// What `/readyz` answers.
#[derive(Clone, Debug, Serialize)]
pub struct Readiness {
    /// Whether the node takes work.
    pub ready: bool,
    /// Why not: `starting`, `draining`, `database`, `checks`. Absent if it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The checks of the node's own program that fail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<FailingCheck>,
    /// Auxiliary services that are down. The node works on, degraded.
    pub degraded: Vec<&'static str>,
}

/// A readiness check that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailingCheck {
    /// Its name.
    pub name: &'static str,
    /// What it said, or how it failed to.
    pub reason: String,
}

/// A view of the node's readiness; quick, and never waiting.
pub type ReadinessView = Arc<dyn Fn() -> Readiness + Send + Sync>;

/// Takes the address.
///
/// # Errors
/// When it is in use or not ours: an error at start, that names the address.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| std::io::Error::new(error.kind(), format!("listening on {address}: {error}")))
}

/// The service that answers, until it is told to stop.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: &TcpListener,
    view: ReadinessView,
    token: CancellationToken,
) -> Result<(), ServiceError> {
    let listener = TcpListener::from_std(rustix::io::dup(listener).map(Into::into)?)?;
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state(view);
    axum::serve(listener, router).with_graceful_shutdown(token.cancelled_owned()).await?;
    Ok(())
}

async fn readyz(State(view): State<ReadinessView>) -> (StatusCode, Json<Readiness>) {
    let readiness = view();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}
