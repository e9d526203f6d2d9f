//! What the language must do and no other test of this crate shows: the rare forms of conditions and files, fields
//! that are missing under every operator, patterns as the C library has them, fields of calls that failed.
//!
//! The rest is beside this directory: grammar and canonical form (`syntax`), types and warnings (`checks`), lists,
//! macros and exceptions (`expansion`), merging (`merge`), the shape of files (`files`), the meaning of operators,
//! transformers, fields and outputs (`eval`), whole files (`stock`, `third`, `foreign`, `houses`).

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test are part of it"
)]

#[path = "../eval/build.rs"]
mod build;
#[path = "../common/mod.rs"]
mod common;

mod absent;
mod conditions;
mod fields;
mod files;
mod patterns;
mod told;
mod values;
