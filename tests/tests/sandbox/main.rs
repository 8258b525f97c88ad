//! Does the sandbox do what runner and plugin loader count on? With real guests that behave; for the others see
//! `hostile`.

mod attempt;
mod channels;
mod ending;
mod ground;
mod languages;
mod load;
mod node;
mod witness;
