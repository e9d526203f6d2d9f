//! Rust types, client and server from `proto/`. protox is a protobuf compiler in Rust: nobody has to install
//! protoc.

use std::{env, fs, path::Path};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = protox::compile(["sentinel/v1/events.proto"], ["proto"])?;
    // What reflection serves.
    fs::write(Path::new(&env::var("OUT_DIR")?).join("descriptors.bin"), files.encode_to_vec())?;
    // The server once more, for who looks at events where they lie.
    let raw = Path::new(&env::var("OUT_DIR")?).join("raw");
    fs::create_dir_all(&raw)?;
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .extern_path(".sentinel.v1", "crate::v1")
        .extern_path(".sentinel.v1.EventBatch", "crate::raw::EventBatch")
        .out_dir(raw)
        .compile_fds(files.clone())?;
    tonic_prost_build::configure()
        // A fixed order of keys: equal events have equal bytes.
        .btree_map(".")
        // How to connect is the business of those who do.
        .build_transport(false)
        .compile_fds(files)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}
