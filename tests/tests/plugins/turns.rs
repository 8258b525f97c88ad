//! Who waits for whom: a compile that lasts holds up other compiles, and nothing else.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use anyhow::Result;
use flyball::plugin::{Compile, PluginState};
use flyball::sandbox::{LoadError, Sandbox};
use flyball_tests::eventually;

use crate::rig::{Here, PATIENCE, Rig, component, place, varied};

/// A compiler that is closed until it is opened, and remembers what it was given.
struct Gate {
    here: Here,
    open: Arc<Open>,
    given: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Whether the gate is open.
#[derive(Default)]
struct Open(Mutex<bool>, Condvar);

impl Open {
    fn open(&self) {
        *self.0.lock().expect("no panic") = true;
        self.1.notify_all();
    }

    fn wait(&self) {
        let closed = self.0.lock().expect("no panic");
        drop(self.1.wait_while(closed, |open| !*open).expect("no panic"));
    }
}

impl Compile for Gate {
    fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        self.given.lock().expect("no panic").push(component.to_vec());
        self.open.wait();
        self.here.compile(component)
    }
}

#[tokio::test]
async fn what_is_compiled_serves_while_something_else_never_finishes_compiling() -> Result<()> {
    let rig = Rig::new()?;
    let echo = component("echo").await?;
    place(&rig.folder().join("x.wasm"), &echo)?;
    rig.plugins.load_all_once().await;

    // Nobody opens this one: its thread goes when the process does.
    let never = |sandbox: Sandbox| -> Arc<dyn Compile> {
        Arc::new(Gate { here: Here(sandbox), open: Arc::default(), given: Arc::default() })
    };
    let rig = Rig::compiling(rig.stopped()?, never)?;
    // They come before it by name, and are more than there is room for.
    for (mark, file) in ["a.wasm", "b.wasm", "c.wasm", "d.wasm", "e.wasm"].into_iter().enumerate() {
        place(&rig.folder().join(file), &varied(&echo, u8::try_from(mark)?))?;
    }
    let rig = rig.watched();
    rig.until_serving("x", |_| true).await?;
    // Nor is it in the way of a version that comes later.
    place(&rig.folder().join("x.toml"), b"[limits]\ntimeout = \"7s\"\n")?;
    rig.until_serving("x", |plugin| plugin.terms().timeout.value == Duration::from_secs(7)).await?;
    let states: Vec<_> = rig.plugins.statuses().into_iter().map(|status| status.state).collect();
    let (x, others) = states.split_last().ok_or_else(|| anyhow::anyhow!("no status"))?;
    assert_eq!(*x, PluginState::Loaded);
    assert!(others.iter().all(|state| *state == PluginState::Compiling), "{others:?}");
    Ok(())
}

#[tokio::test]
async fn ten_rewrites_of_a_file_that_is_being_compiled_leave_one_load_waiting() -> Result<()> {
    let home = tempfile::tempdir()?;
    std::fs::create_dir(home.path().join("plugins"))?;
    let open = Arc::<Open>::default();
    let given = Arc::<Mutex<Vec<_>>>::default();
    let closed = |sandbox: Sandbox| -> Arc<dyn Compile> {
        Arc::new(Gate { here: Here(sandbox), open: open.clone(), given: given.clone() })
    };
    let rig = Rig::compiling(home, closed)?.watched();
    let (echo, path) = (component("echo").await?, rig.folder().join("x.wasm"));
    place(&path, &echo)?;
    eventually(PATIENCE, "the first compile", async || !given.lock().expect("no panic").is_empty()).await?;
    for mark in 1..=10 {
        place(&path, &varied(&echo, mark))?;
        // A machine that is too busy to notice one of them has fewer to choose from, and the promise holds all the more.
        let noticed = rig.until("x.wasm", PluginState::Settling);
        if tokio::time::timeout(Duration::from_secs(3), noticed).await.is_ok() {
            rig.until("x.wasm", PluginState::Compiling).await?;
        }
    }
    open.open();
    // Only the version that is in the folder by then can be.
    rig.until("x.wasm", PluginState::Loaded).await?;
    let given = given.lock().expect("no panic").clone();
    assert!(given == [echo.clone(), varied(&echo, 10)], "{} versions were compiled", given.len());
    Ok(())
}
