//! The program `flyball`.

fn main() {}
