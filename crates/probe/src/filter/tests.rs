use bstr::BString;
use sentinel_event::Path;

use super::*;

fn set(prefixes: &[&str], names: &[&str], suffixes: &[&str]) -> PathSet {
    let own = |texts: &[&str]| texts.iter().map(|text| BString::from(*text)).collect();
    PathSet::Some(PathClasses { prefixes: own(prefixes), names: own(names), suffixes: own(suffixes) })
}

fn filter(reading: PathSet, writing: PathSet) -> Filter {
    Filter::new(FileInterest { reading, writing, ..FileInterest::default() })
}

#[test]
fn a_directory_is_wanted_whole_by_a_prefix_or_a_name_on_the_way() {
    let filter = filter(set(&["/etc/"], &[".ssh"], &[]), set(&["/usr/li"], &[], &[]));
    for (dir, ways) in
        [("/etc/", 1), ("/etc/x/", 1), ("/root/.ssh/", 1), ("/usr/lib/x/", 2), ("/etcetera/", 0), ("/", 0)]
    {
        assert_eq!(filter.verdict(dir.as_bytes()) & 3, ways, "{dir}");
    }
}

#[test]
fn beginnings_of_names_are_numbered_by_their_directory() {
    let filter = filter(set(&["/etc/pass", "/etc/sha"], &[], &[]), set(&["/etc/passwd", "/srv/a"], &[], &[]));
    let number = |dir: &str| u32::try_from(filter.verdict(dir.as_bytes()) >> 2).unwrap();
    assert_ne!(number("/etc/"), 0);
    assert_ne!(number("/srv/"), number("/etc/"));
    assert_eq!(number("/"), 0);
    let ways = |rest: &str| filter.prefixes.get(&(number("/etc/"), rest.into())).copied();
    assert_eq!((ways("pass"), ways("passwd"), ways("sha")), (Some(1), Some(3), Some(1)));
}

#[test]
fn long_names_and_ends_are_cut_and_so_widened() {
    let long = "n".repeat(80);
    let filter = filter(set(&[&format!("/a/{long}")], &[&long], &[&long]), PathSet::All);
    assert_eq!(filter.names.keys().next().unwrap().len(), 63);
    assert_eq!(filter.suffixes.keys().next().unwrap().len(), 8);
    assert_eq!(filter.prefixes.keys().next().unwrap().1.len(), 55);
    assert_eq!((filter.wire.all, filter.wire.some), (2, 1));
}

#[test]
fn the_empty_ones_mean_everything() {
    assert_eq!(filter(set(&[""], &[], &[]), set(&[], &[], &[""])).wire.all, 3);
}

#[test]
fn a_set_that_does_not_fit_is_judged_by_the_reader() {
    let names: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let filter = filter(set(&[], &names, &[]), PathSet::default());
    assert_eq!((filter.wire.all, filter.names.len()), (3, 0));
    let open =
        |path: &str| FileOpen { path: Path { bytes: path.into(), ..Path::default() }, ..FileOpen::default() };
    let mut judge = Judge::new(Some(Arc::new(filter)));
    assert!(judge.wants(&open("/x/4999"), 3, 0) && !judge.wants(&open("/x/5000"), 3, 0));
    assert_eq!(judge.filtered, 1);
}

#[test]
fn a_path_without_its_top_teaches_nothing() {
    let mut judge = Judge::new(Some(Arc::new(filter(set(&["/etc/"], &[], &[]), PathSet::default()))));
    let mut open =
        FileOpen { path: Path { bytes: "/a/b".into(), flags: PathFlags::CUT }, ..FileOpen::default() };
    assert!(!judge.wants(&open, 3, 0x50000));
    assert!(judge.answers.is_empty());
    open.path.flags = PathFlags::DELETED;
    assert!(!judge.wants(&open, 3, 0x50000));
    assert_eq!(judge.answers.get(&0x50000), Some(&0));
}
