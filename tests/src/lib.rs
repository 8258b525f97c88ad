//! The promises of Flyball.
