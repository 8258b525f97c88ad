//! Does what is in the folder serve, and only that? With real components, real files, and the loader alone.

mod cache;
mod folder;
mod life;
mod links;
mod rig;
mod rubbish;
mod turns;
