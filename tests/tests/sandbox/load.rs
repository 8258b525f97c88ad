//! What becomes a worker, and what is said about what does not.

use anyhow::Result;
use flyball::sandbox::{LoadError, Sandbox, SandboxConfig};

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
    let allocator = flyball::sandbox::Allocator::OnDemand;
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
fn component(sections: &[u8]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".as_slice(), sections].concat()
}

/// A core module by hand, as a section of a component.
fn with_module(sections: &[u8]) -> Vec<u8> {
    let module = [b"\0asm\x01\0\0\0".as_slice(), sections].concat();
    let size = u8::try_from(module.len()).expect("a small module");
    let instance = [2, 4, 1, 0, 0, 0];
    component(&[&[1, size], module.as_slice(), &instance].concat())
}

async fn refusal(ground: &Ground, wasm: &[u8]) -> Result<String> {
    let code = match ground.sandbox.compile(wasm) {
        Ok(code) => code,
        Err(error) => return Ok(error.to_string()),
    };
    match ground.sandbox.prepare(ground::kind()?, wasm, &code, "digest".into()).await {
        Ok(_) => anyhow::bail!("taken"),
        Err(error) => Ok(error.to_string()),
    }
}

#[tokio::test]
async fn a_component_that_is_no_worker_is_refused_with_what_is_missing() -> Result<()> {
    let ground = Ground::new()?;
    let text = refusal(&ground, &component(&[])).await?;
    assert!(text.starts_with("it has no function `describe`"), "{text}");
    // (component (import "a:b/c@1.0.0" (instance)))
    let name = b"\x0ba:b/c@1.0.0";
    let type_section = [7, 3, 1, 0x42, 0];
    let import = [&[10, 16, 1, 0], name.as_slice(), &[5, 0]].concat();
    let text = refusal(&ground, &component(&[&type_section, import.as_slice()].concat())).await?;
    println!("{text}");
    assert!(text.contains("it has no function `describe`"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_component_that_needs_what_no_worker_may_have_is_refused_at_load() -> Result<()> {
    let ground = Ground::new()?;
    // Memory section with one shared memory, one of 64 bits, and one of 4 GiB; a table of 4 billion elements.
    let cases: [(&[u8], &str); 3] = [
        (&[5, 4, 1, 3, 1, 1], "does not compile"),
        (&[5, 3, 1, 4, 1], "does not compile"),
        (&[5, 5, 1, 0, 0x80, 0x80, 4], "it has no function"),
    ];
    for (sections, expected) in cases {
        let text = refusal(&ground, &with_module(sections)).await?;
        println!("{text}");
        assert!(text.contains(expected), "{text}");
    }
    Ok(())
}
