//! One file by itself: what is told of it before it serves.

use std::fs;

use anyhow::Result;
use flyball::plugin::{InspectError, Origin};

use crate::rig::{Rig, component, place};

#[tokio::test]
async fn a_component_is_inspected_wherever_it_lies_without_serving() -> Result<()> {
    let rig = Rig::new()?;
    let path = rig.home.path().join("x.wasm");
    place(&path, &component("echo").await?)?;
    fs::write(
        rig.home.path().join("x.toml"),
        "[limits]\nfuel = \"1G\"\n[grants.enqueue]\nkinds = [\"report\"]\n",
    )?;
    let inspected = rig.plugins.inspect(&path).await?;
    assert_eq!((inspected.kind.as_str(), inspected.digest.len()), ("x", 64));
    assert_eq!((inspected.terms.fuel.value, inspected.terms.fuel.origin), (1_000_000_000, Origin::Manifest));
    assert_eq!(inspected.granted, ["enqueue:report"]);
    assert!(
        inspected.imports.iter().any(|name| name.starts_with("flyball:worker/log@0.1")),
        "{:?}",
        inspected.imports
    );
    assert!(inspected.imports.iter().any(|name| name.starts_with("wasi:cli/")), "{:?}", inspected.imports);
    assert!(rig.plugins.catalog().borrow().is_empty());
    let missing = rig.plugins.inspect(&rig.home.path().join("y.wasm")).await;
    assert!(matches!(missing, Err(InspectError::NotFound(_))), "{missing:?}");
    Ok(())
}
