//! The list of the shipped rule files: every `sentinel_*.yaml` in `rules/` of the repository, in the order of names.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

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
    let mut text = String::from("&[");
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        write!(text, "({name:?}, include_str!({file:?})),")?;
    }
    text.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("builtin.rs"), text)?;
    Ok(())
}
