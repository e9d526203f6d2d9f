//! Names of images.

use sentinel_event::Image;

/// What a reference says: `host:port/name:tag@sha256:…`, a bare id, or both in part. `id` is the runtime's own.
pub(crate) fn image(reference: &str, id: &str) -> Image {
    let id = id.rsplit_once('@').map_or(id, |(_, digest)| digest);
    let id = id.strip_prefix("sha256:").unwrap_or(id).to_owned();
    let (named, digest) = match reference.split_once('@') {
        Some((named, digest)) => (named, digest),
        None if is_digest(reference) => ("", reference),
        None => (reference, ""),
    };
    // A port comes before a slash, a tag after the last.
    let (repository, tag) = match named.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (named, ""),
    };
    Image {
        name: reference.to_owned(),
        id,
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        digest: digest.to_owned(),
    }
}

/// Takes from another reference what the first did not say: the digest that a registry knows it by.
pub(crate) fn complete(image: &mut Image, reference: &str) {
    let Some((named, digest)) = reference.split_once('@') else { return };
    if image.digest.is_empty() {
        image.digest = digest.to_owned();
    }
    if image.repository.is_empty() {
        image.repository = named.to_owned();
    }
}

fn is_digest(reference: &str) -> bool {
    let digits = reference.strip_prefix("sha256:").unwrap_or(reference);
    digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let cases = [
            ("nginx", ["nginx", "", ""]),
            ("nginx:1.27", ["nginx", "1.27", ""]),
            ("registry.example:5000/team/web", ["registry.example:5000/team/web", "", ""]),
            ("registry.example:5000/team/web:v1", ["registry.example:5000/team/web", "v1", ""]),
            ("localhost/x:1@DIGEST", ["localhost/x", "1", "DIGEST"]),
            ("localhost/x@DIGEST", ["localhost/x", "", "DIGEST"]),
            ("DIGEST", ["", "", "DIGEST"]),
            ("", ["", "", ""]),
            (":", ["", "", ""]),
        ];
        for (reference, expected) in cases {
            let reference = reference.replace("DIGEST", &digest);
            let found = image(&reference, "sha256:b");
            let expected = expected.map(|text| text.replace("DIGEST", &digest));
            assert_eq!([found.repository, found.tag, found.digest], expected, "{reference}");
            assert_eq!((found.name, &*found.id), (reference, "b"));
        }
    }

    #[test]
    fn another_reference_adds_what_is_missing_and_changes_nothing() {
        let mut found = image("x:1", "");
        complete(&mut found, "registry.example/x@sha256:c");
        assert_eq!((&*found.repository, &*found.digest), ("x", "sha256:c"));
        complete(&mut found, "registry.example/x@sha256:d");
        assert_eq!(found.digest, "sha256:c");
    }
}
