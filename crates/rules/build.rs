//! The list of the shipped rule files: every `sentinel_*.yaml` in `rules/` of the repository, in the order of names.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let top = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../rules");
    println!("cargo:rerun-if-changed={}", top.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&top).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("sentinel_") && name.ends_with(".yaml") {
            files.push(path.canonicalize()?);
        }
    }
    files.sort();
    // Copies, named by OUT_DIR: a path of this machine in the source would make the crate's hash, and with it names of
    // symbols, another one in every directory it is built in.
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR")?);
    let mut text = String::from("&[");
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        fs::write(out.join(&*name), fs::read(file)?)?;
        write!(text, "({name:?}, include_str!(concat!(env!(\"OUT_DIR\"), {:?}))),", format!("/{name}"))?;
    }
    text.push(']');
    fs::write(out.join("builtin.rs"), text)?;
    Ok(())
}
