//! A client of the container runtime interface from `proto/`, without protoc; the server is for tests.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = protox::compile(["runtime/v1/api.proto"], ["proto"])?;
    tonic_prost_build::configure().btree_map(".").build_transport(false).compile_fds(files)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}
