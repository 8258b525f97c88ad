//! Turning a component into machine code: the one step of a load that can take minutes, behind a seam of its own.

use crate::sandbox::{LoadError, Sandbox};

/// What compiles: this process, or another one. Blocks, and takes all of a processor; one at a time is asked for.
pub trait Compile: Send + Sync {
    /// Machine code for this node's engine. It is trusted: whoever makes it can replace this program.
    ///
    /// # Errors
    /// [`LoadError`] when the component does not compile.
    fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError>;
}

/// Compiles in this process, within no bounds but the size of the component.
pub(super) struct InProcess(pub(super) Sandbox);

impl Compile for InProcess {
    fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        self.0.compile(component)
    }
}
