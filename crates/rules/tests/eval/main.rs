//! Evaluation of rules on hand-made and random observations.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test are part of it"
)]

mod actors;
mod build;
mod calls;
mod derived;
mod fields;
mod interest;
mod made;
mod naive;
mod opens;
mod operators;
mod output;
mod places;
mod planned;
mod random;
mod selection;
mod stock;
mod transformers;
mod witnesses;
