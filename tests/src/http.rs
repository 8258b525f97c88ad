//! Asking a node over HTTP: one request, one connection, the whole answer.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{GENEROUS, ambient};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: String,
    /// The body.
    pub body: String,
    /// From before the connection was made until the last byte.
    pub took: Duration,
}

/// `GET path`.
///
/// # Errors
/// When there is no whole answer within a generous bound.
pub async fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    let begun = ambient::instant();
    let asked = tokio::time::timeout(GENEROUS, exchange(address, path));
    let bytes = asked.await.with_context(|| format!("GET {path} from {address}: no answer"))??;
    parse(&String::from_utf8_lossy(&bytes), begun.elapsed())
        .with_context(|| format!("GET {path} from {address}: not an HTTP answer"))
}

async fn exchange(address: SocketAddr, path: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
    // HTTP/1.0: the body ends with the connection and comes in one piece.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn parse(text: &str, took: Duration) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let (status, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = status.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, headers: headers.to_owned(), body: body.to_owned(), took })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let text = "HTTP/1.0 503 Service Unavailable\r\ncontent-type: text/plain\r\n\r\ndraining\r\n\r\nx";
        let answer = parse(text, Duration::ZERO).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "draining\r\n\r\nx"));
        assert_eq!(answer.headers, "content-type: text/plain");
        assert_eq!(parse("nonsense", Duration::ZERO), None);
    }
}
