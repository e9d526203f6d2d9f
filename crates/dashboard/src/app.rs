//! The web app, as files inside the program.

/// Name and content of every built file; empty where the app was not built.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/app.rs"));

/// What is served instead of an app that was not built.
const UNBUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Sentinel</title>\
<h1>The web app is not in this program</h1><p>It was compiled without <code>dashboard/dist</code>. Run \
<code>make web</code> and compile again. The feed at <code>events</code> and the answers below \
<code>api/</code> work.</p>";

/// One file of the app.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    pub(crate) bytes: &'static [u8],
    /// The same, packed with gzip.
    pub(crate) gzip: Option<&'static [u8]>,
    pub(crate) media_type: &'static str,
    /// The name changes with the content: it can be kept for good.
    pub(crate) immutable: bool,
}

/// Whether the real app was compiled in.
pub fn is_built() -> bool {
    content("index.html").is_some()
}

/// The file of that name, e.g. `assets/index-1a2b.js`; the page itself has the empty name.
pub(crate) fn file(name: &str) -> Option<File> {
    if name.is_empty() {
        let (bytes, gzip) = match content("index.html") {
            Some(bytes) => (bytes, content("index.html.gz")),
            None => (UNBUILT.as_bytes(), None),
        };
        return Some(File { bytes, gzip, media_type: "text/html; charset=utf-8", immutable: false });
    }
    let media_type = match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        // Packed forms are asked for by the name of the plain one; the page has no name.
        _ => return None,
    };
    let bytes = content(name)?;
    let gzip = content(&format!("{name}.gz"));
    Some(File { bytes, gzip, media_type, immutable: name.starts_with("assets/") })
}

fn content(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
