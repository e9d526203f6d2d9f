//! Evaluation of rules on hand-made and random observations.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test are part of it"
)]

mod build;
mod calls;
mod fields;
mod naive;
mod operators;
mod output;
mod random;
mod selection;
mod stock;
mod transformers;
mod witnesses;
