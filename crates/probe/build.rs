//! `bpf/*.bpf.c` → one linked object → skeleton; `sentinel_abi.h` → Rust structs and `for_each_event!`.

use std::{cell::RefCell, env, fmt::Write as _, fs, path::Path, path::PathBuf, process::Command, rc::Rc};

use anyhow::{Context as _, Result, bail};
use bindgen::callbacks::{DeriveInfo, EnumVariantValue, ParseCallbacks, TypeKind};
use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<()> {
    // Asked for at run time: a target directory may serve several checkouts.
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR")?);
    let bpf = here.join("../../bpf").canonicalize()?;
    println!("cargo:rerun-if-changed={}", bpf.display());
    println!("cargo:rerun-if-env-changed=BPF_CLANG");
    let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR")?);
    skeleton(&bpf, &out)?;
    abi(&bpf.join("include/sentinel_abi.h"), &out)
}

/// `$BPF_CLANG`, else the newest clang on the PATH. Wrapped compilers add flags that BPF refuses, so
/// distributions name theirs.
fn clang() -> Result<PathBuf> {
    if let Some(named) = env::var_os("BPF_CLANG") {
        return Ok(named.into());
    }
    let names = (14..=24).rev().map(|version| format!("clang-{version}")).chain(["clang".into()]);
    for name in names {
        if Command::new(&name).arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Ok(name.into());
        }
    }
    bail!("no clang on the PATH: install clang 14 or newer, or name one in BPF_CLANG")
}

/// The ways everything in `bpf/` is built, see `bpf/include/access.h`.
const FLAVOURS: [(&str, &[&str]); 3] =
    [("sentinel", &[]), ("cast", &["-DSENTINEL_CAST"]), ("compat", &["-DSENTINEL_COMPAT"])];

fn skeleton(bpf: &Path, out: &Path) -> Result<()> {
    let clang = clang()?;
    // libbpf-cargo brings libbpf's own headers.
    let compile = |source: &Path, (flavour, flags): (&str, &[&str])| -> Result<PathBuf> {
        let name = source.file_stem().context("a source without a name")?.to_string_lossy();
        let object = out.join(format!("{flavour}.{name}.o"));
        let include = bpf.join("include");
        let common = ["-Wall", "-Wextra", "-Werror", "-I"].map(AsRef::as_ref);
        let flags = flags.iter().map(AsRef::as_ref);
        SkeletonBuilder::new()
            .source(source)
            .obj(&object)
            .clang(&clang)
            .clang_args(common.into_iter().chain([include.as_os_str()]).chain(flags))
            .build()
            .with_context(|| format!("cannot compile {}", source.display()))?;
        Ok(object)
    };
    fs::rename(compile(&bpf.join("facts/facts.bpf.c"), FLAVOURS[0])?, out.join("facts.o"))?;

    let mut sources: Vec<PathBuf> =
        fs::read_dir(bpf)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    sources.retain(|path| path.to_string_lossy().ends_with(".bpf.c"));
    sources.sort();
    let compat = env::var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|target| target == "x86_64");
    for flavour in FLAVOURS {
        if flavour.0 == "compat" && !compat {
            fs::write(out.join("compat.bpf.o"), [])?;
            continue;
        }
        let mut linker = libbpf_rs::Linker::new(out.join(format!("{}.bpf.o", flavour.0)))?;
        for source in &sources {
            linker.add_file(compile(source, flavour)?)?;
        }
        linker.link()?;
    }
    let skeleton = out.join("skel.rs");
    SkeletonBuilder::new().obj(out.join("sentinel.bpf.o")).reference_obj(true).generate(&skeleton)?;
    // It would have bytes of its own, and always the same: which they are is said when it is opened. How the lines are
    // broken depends on the length of the path.
    let text = fs::read_to_string(&skeleton)?;
    let own = text.find("#[unsafe(link_section").zip(text.find("sentinel.bpf.o\""));
    let (Some((from, to)), true) = (own, text.contains("::new(&DATA)")) else {
        bail!("the skeleton no longer has the form that is expected here: see libbpf-cargo's changes");
    };
    let rest = text.get(to..).and_then(|rest| rest.split_once(';')).map(|(_, rest)| rest).unwrap_or_default();
    let text = [text.get(..from).unwrap_or_default(), rest].concat();
    let chosen = "::new(crate::load::CHOSEN.get().copied().unwrap_or_default())";
    fs::write(&skeleton, text.replace("::new(&DATA)", chosen))?;
    Ok(())
}

/// Collects the kinds that `SENTINEL_EVENTS` lists, and lets zerocopy prove every wire struct free of
/// padding, pointers and values that not all bits may take.
#[derive(Debug, Default)]
struct Abi(Rc<RefCell<Vec<(i64, String)>>>);

impl ParseCallbacks for Abi {
    fn add_derives(&self, info: &DeriveInfo<'_>) -> Vec<String> {
        match info.kind {
            TypeKind::Struct => ["FromBytes", "IntoBytes", "Immutable", "KnownLayout"]
                .map(|derive| format!("zerocopy::{derive}"))
                .to_vec(),
            _ => vec![],
        }
    }

    fn enum_variant_name(&self, _: Option<&str>, name: &str, value: EnumVariantValue) -> Option<String> {
        let kind = name.strip_prefix("SENTINEL_KIND_")?;
        let id = match value {
            EnumVariantValue::Signed(id) => id,
            EnumVariantValue::Unsigned(id) => id.cast_signed(),
            EnumVariantValue::Boolean(id) => id.into(),
        };
        let mut kinds = self.0.borrow_mut();
        if !kinds.iter().any(|(known, _)| *known == id) {
            kinds.push((id, kind.to_lowercase()));
        }
        None
    }
}

fn abi(header: &Path, out: &Path) -> Result<()> {
    let kinds = Rc::default();
    bindgen::Builder::default()
        .header(header.to_string_lossy())
        .allowlist_type("sentinel_.*")
        .allowlist_var("SENTINEL_.*")
        .prepend_enum_name(false)
        .derive_default(true)
        .parse_callbacks(Box::new(Abi(Rc::clone(&kinds))))
        .generate()?
        .write_to_file(out.join("abi.rs"))?;

    let mut table = String::from("macro_rules! for_each_event { ($m:ident) => { $m! {\n");
    for (id, name) in kinds.borrow().iter() {
        let camel: String = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        writeln!(table, "    ({id}, {camel}, sentinel_{name}),")?;
    }
    table += "} } }\n";
    fs::write(out.join("events.rs"), table)?;
    Ok(())
}
