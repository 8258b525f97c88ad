//! What becomes a worker, and what is said about what does not.

use anyhow::Result;
use flyball::sandbox::{Allocator, LoadError, Sandbox, SandboxConfig};

use crate::ground::{self, Ground};

#[tokio::test]
async fn a_worker_says_what_it_is_and_its_code_can_be_kept() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    assert_eq!((worker.kind().as_str(), worker.digest()), (ground::KIND, "digest of echo"));
    let description = worker.description();
    assert_eq!(description.summary, "Does what its args say, and tells what it was given");

    // Another sandbox with the same settings takes the code, whichever allocator it has.
    let (wasm, code) = ground.compiled("echo").await?;
    let allocator = Allocator::OnDemand;
    let other =
        Sandbox::start(SandboxConfig { allocator, ..SandboxConfig::default() }, ground.clock.clone())?;
    assert_eq!(other.compatibility(), ground.sandbox.compatibility());
    other.prepare(ground::kind()?, &wasm, &code, "digest".into()).await?;
    Ok(())
}

#[tokio::test]
async fn a_component_that_is_cut_anywhere_is_never_taken() -> Result<()> {
    let ground = Ground::new()?;
    let (wasm, _) = ground.compiled("echo").await?;
    let mut incomplete = 0;
    for end in (0..wasm.len()).step_by(wasm.len() / 200) {
        match ground.sandbox.compile(&wasm[..end]) {
            Err(LoadError::Incomplete(_)) => incomplete += 1,
            // Cut between two sections it is a component, but not this one.
            Err(LoadError::Refused(_)) => {}
            other => anyhow::bail!("cut at {end}: {other:?}"),
        }
    }
    println!("{incomplete} of 200 were told from rubbish");
    assert!(incomplete > 190);
    Ok(())
}

#[tokio::test]
async fn code_that_is_none_of_ours_is_stale_and_not_run() -> Result<()> {
    let ground = Ground::new()?;
    let (wasm, code) = ground.compiled("echo").await?;
    let cases: [&[u8]; 3] = [b"", b"\x7fELF rubbish", &code[..code.len() / 2]];
    for code in cases {
        let refused = ground.sandbox.prepare(ground::kind()?, &wasm, code, "digest".into()).await;
        assert!(matches!(&refused, Err(LoadError::StaleCode(_))), "{:?}", refused.map(|_| ()));
    }
    Ok(())
}

/// A component by hand, from its sections.
fn component(sections: &[&[u8]]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".as_slice(), &sections.concat()].concat()
}

/// A section by hand: its number, its size in two bytes of LEB128, its content.
fn section(number: u8, content: &[u8]) -> Vec<u8> {
    let size = u16::try_from(content.len()).expect("a small section");
    let low = u8::try_from(size & 0x7f).expect("seven bits");
    let high = u8::try_from(size >> 7).expect("at most 16 KiB");
    [&[number, low | 0x80, high], content].concat()
}

/// A component with one core module, of these sections, instantiated so often (a multiple of 128).
fn with_module(sections: &[&[u8]], times_128: u8) -> Vec<u8> {
    let module = [b"\0asm\x01\0\0\0".as_slice(), &sections.concat()].concat();
    let instances = [vec![0x80, times_128], [0, 0, 0].repeat(128 * usize::from(times_128))].concat();
    let one = [1, 0, 0, 0].to_vec();
    let instances = if times_128 == 0 { one } else { instances };
    component(&[&section(1, &module), &section(2, &instances)])
}

/// A component that imports an empty instance of this name.
fn importing(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a short name");
    let import = [&[1, 0, length], name.as_bytes(), &[5, 0]].concat();
    component(&[&section(7, &[1, 0x42, 0]), &section(10, &import)])
}

async fn refusal(ground: &Ground, wasm: &[u8]) -> Result<String> {
    let code = match ground.sandbox.compile(wasm) {
        Ok(code) => code,
        Err(error) => return Ok(error.to_string()),
    };
    match ground.sandbox.prepare(ground::kind()?, wasm, &code, "digest".into()).await {
        Ok(_) => anyhow::bail!("taken"),
        Err(LoadError::Refused(text)) => Ok(text),
        Err(other) => anyhow::bail!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_component_that_is_no_worker_is_refused_with_what_is_missing() -> Result<()> {
    let ground = Ground::new()?;
    let cases = [
        (component(&[]), "it has no function `describe`"),
        (importing("a:b/c@1.0.0"), "it imports a:b/c@1.0.0, which this host does not offer to anybody"),
        (importing("flyball:worker/log@0.2.0"), "this host offers flyball:worker 0.1.*: build it against"),
        (importing("wasi:cli/stdout@0.3.0"), "this host offers wasi:cli 0.2.*: build it against"),
        (importing("wasi:http/types@0.2.6"), "it has no function `describe`"),
    ];
    for (wasm, expected) in cases {
        let text = refusal(&ground, &wasm).await?;
        println!("{text}");
        assert!(text.contains(expected), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_component_that_begins_with_more_than_its_node_has_for_an_attempt_is_refused_and_not_tried_for_ever()
-> Result<()> {
    // 17 pages, of which echo has as many at its start.
    let ground = Ground::with(SandboxConfig { guest_memory: 1 << 20, ..SandboxConfig::default() })?;
    let (wasm, _) = ground.compiled("echo").await?;
    let text = refusal(&ground, &wasm).await?;
    assert!(text.starts_with("it begins with ") && text.contains("`guest_memory` under [node]"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_component_that_needs_what_no_worker_may_have_is_refused_at_load() -> Result<()> {
    const ABSURD: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let memory = |content: &[u8]| with_module(&[&section(5, content)], 0);
    let nine = [&[9][..], &[0, 1].repeat(9)].concat();
    let cases = [
        (memory(&[1, 3, 1, 1]), "threads must be enabled"),
        (memory(&[1, 4, 1]), "memory64 must be enabled"),
        (memory(&[1, 0, 0x80, 0x80, 4]), "it needs 4294967296 bytes of memory at its start"),
        (memory(&nine), "it needs 9 memories; a worker may have 8"),
        (
            with_module(&[&section(4, &[&[1, 0x70, 0], ABSURD.as_slice()].concat())], 0),
            "it needs 4294967295 elements in a table",
        ),
        (with_module(&[&section(5, &[1, 0, 1])], 7), "it needs 896 memories"),
        (with_module(&[], 8), "instances count exceeds limit of 1000"),
    ];
    for allocator in [Allocator::Pooling, Allocator::OnDemand] {
        let ground = Ground::with(SandboxConfig { allocator, ..SandboxConfig::default() })?;
        for (wasm, expected) in &cases {
            let text = refusal(&ground, wasm).await?;
            println!("{text}");
            assert!(text.contains(expected), "{text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_enough_address_space_for_a_pool_guests_run_all_the_same() -> Result<()> {
    let ground = Ground::with(SandboxConfig { slots: 10_000_000, ..SandboxConfig::default() })?;
    let worker = ground.worker("echo").await?;
    let (attempt, _) = ground.attempt("{}")?;
    ground::output(&ground.sandbox.run(&worker, attempt).await.verdict)?;
    Ok(())
}
