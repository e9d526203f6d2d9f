//! Puts the built web app (`dashboard/dist`) into the program. Where it was not built, a page that says how.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Instead of `dashboard/dist`: a directory that another build left.
const VARIABLE: &str = "SENTINEL_DASHBOARD_DIST";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    println!("cargo:rerun-if-changed=build.rs");
    let dist = match env::var_os(VARIABLE) {
        Some(dist) => PathBuf::from(dist),
        None => Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../dashboard/dist"),
    };
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &dist, &mut files)?;
        files.sort();
    } else {
        println!(
            "cargo:warning=the web app is not built: sentinel-dashboard will say so instead of showing it; run `make web`"
        );
    }
    // Copies: the app may be built anew before the compiler reads them. Named by OUT_DIR: a path of this machine in the
    // source would make the crate's hash, and with it names of symbols, another one in every directory.
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR")?);
    let mut table = String::from("&[\n");
    for (number, (name, path)) in files.iter().enumerate() {
        fs::write(out.join(format!("app-{number}")), fs::read(path)?)?;
        writeln!(table, "    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/app-{number}\"))),")?;
    }
    table.push(']');
    fs::write(out.join("app.rs"), table)?;
    Ok(())
}

/// Name below the top, with `/`, and path of every file.
fn collect(top: &Path, dir: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(top, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(top)?.to_str().ok_or("the web app has a file whose name is no UTF-8")?;
        files.push((name.replace('\\', "/"), path));
    }
    Ok(())
}
