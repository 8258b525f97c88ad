//! What survives the death of processes: nodes by SIGKILL, the postmaster, answers on their way. Real processes of
//! the real binary. Takes minutes: a target of its own, `cargo test --workspace --test crash`.

mod answers;
mod killing;
mod poison;
mod postmaster;
mod two_nodes;
mod worlds;
