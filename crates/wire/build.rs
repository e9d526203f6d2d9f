//! Rust types from `proto/`. protox is a protobuf compiler in Rust: nobody has to install protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = protox::compile(["sentinel/v1/events.proto"], ["proto"])?;
    prost_build::Config::new()
        // A fixed order of keys: equal events have equal bytes.
        .btree_map(["."])
        .compile_fds(files)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}
