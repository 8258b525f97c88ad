//! The harness keeps its word about nodes, shown with a shell that says what a node would.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::*;
use crate::ambient::Moment;
use crate::process;

fn pretender(script: &str) -> Result<Node> {
    let mut command = process::command("sh");
    command.args(["-c", script]);
    Node::born(command, Lines::default(), None)
}

/// Answers one request after the other with these status codes.
fn answering(codes: &'static [u16]) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || -> std::io::Result<()> {
        for code in codes {
            let (mut stream, _) = listener.accept()?;
            let _request = stream.read(&mut [0; 1024])?;
            write!(stream, "HTTP/1.0 {code} x\r\n\r\nbody {code}")?;
        }
        Ok(())
    });
    Ok(address)
}

#[tokio::test]
async fn a_node_is_ready_when_it_says_so() -> Result<()> {
    let address = answering(&[503, 503, 200, 404])?;
    let mut node = pretender(&format!("echo listening on {address} >&2; exec sleep 1000"))?;
    node.ready(GENEROUS).await?;
    let answer = node.get("/nothing").await?;
    assert_eq!((answer.status, answer.body.as_str()), (404, "body 404"));
    node.drain().await?;
    Ok(())
}

#[tokio::test]
async fn a_node_that_ends_before_it_is_ready_is_told_with_its_log() -> Result<()> {
    let mut node = pretender("echo the address is in use >&2; exit 1")?;
    let told = format!("{:#}", node.ready(GENEROUS).await.unwrap_err());
    assert!(told.contains("exit status: 1") && told.contains("the address is in use"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_killed_node_testifies_up_to_the_wait_for_it() -> Result<()> {
    let started = r#"{"fields":{"message":"guest started","run_id":"r","job_id":"a"}}"#;
    let mut node = pretender(&format!("echo '{started}' >&2; exec sleep 1000"))?;
    let find = |line: &Line| line.text.contains("guest started").then_some(());
    node.log().wait_for(GENEROUS, "a guest", find).await?;
    let exit = node.kill().await?;
    let mut witness = Witness::default();
    node.testify(&mut witness);
    assert_eq!(witness.runs("a")[0].to, Some(exit.at));
    Ok(())
}

#[tokio::test]
async fn a_real_node_is_ready_is_killed_and_is_ready_again_and_drains() -> Result<()> {
    let home = Home::sqlite()?;
    let mut first = Node::serve(&home, &[]).await?;
    assert_eq!(first.get("/healthz").await?.status, 200);
    first.kill().await?;
    let mut second = Node::serve(&home, &[]).await?;
    assert_ne!(first.pid(), second.pid());
    assert_eq!(second.drain().await?.status.code(), Some(0), "{}", second.last_words());
    Ok(())
}

#[test]
fn a_node_says_where_it_listens_in_whatever_words() {
    let address = |text: &str| address_in(&Line { read_at: Moment(0), text: text.into() });
    let expected = "127.0.0.1:4711".parse().ok();
    let said =
        r#"{"fields":{"message":"serving","node":"n","listening":"127.0.0.1:4711","plugins":"plugins"}}"#;
    assert_eq!(address(said), expected);
    assert_eq!(address("INFO Listening on http://127.0.0.1:4711/"), expected);
    assert_eq!(address(r#"{"fields":{"message":"metrics listening","address":"127.0.0.1:9"}}"#), None);
    assert_eq!(address("connected to 127.0.0.1:5432"), None);
}
