//! What an act says about habits: of its program, of whoever else does the same, of everything around.

use super::{
    act::{Act, Target, hash},
    class,
};

/// Arguments of a command line that are looked at.
const ARGUMENTS: usize = 10;
/// Directories in which every file has a meaning of its own.
const TELLING: [&str; 4] = ["/etc/", "/root/", "/boot/", "/proc/"];

/// What a habit is about: an item in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    /// Of all programs that are run, this one.
    Run,
    /// Of all programs that the parent starts, this one.
    Starts,
    /// Of all who start the program, this one.
    StartedBy,
    /// Of all users whom the program runs as, this one.
    User,
    /// Of all arguments of the program, this one.
    Argument,
    /// Of all deeds, this one.
    Deed,
    /// Of all deeds of the program, this one.
    Does,
    /// Of all who do it, this program.
    DoneBy,
    /// Of all that is done so, this target.
    Target,
    /// Of all that the program does so, this target.
    Aims,
    /// Of all who aim there, this program.
    AimedBy,
}

/// An item in its context, and in that item another, and so on: `/etc`, in it `/etc/cron.d`.
#[derive(Debug, PartialEq)]
pub(super) struct Habit {
    pub(super) sort: Sort,
    pub(super) context: u64,
    pub(super) items: Vec<u64>,
    /// What the items are called; joined they are the whole.
    names: Vec<String>,
}

/// A program as others know it.
pub(super) struct Known {
    /// Its class; none when it is hardly known. All those are one, of which much is known.
    pub(super) program: Option<String>,
    pub(super) parent: Option<String>,
}

/// The key that counts processes of a program.
pub(super) fn processes(image: &str, class: &str) -> u64 {
    hash((0u8, image, class))
}

/// The habits that an act is an instance of.
pub(super) fn of(act: &Act<'_>, class: &str, parent: &str, known: &Known) -> Vec<Habit> {
    let image = act.image;
    let (who, starter) = (&known.program, &known.parent);
    let mut habits = Vec::new();
    let mut add = |sort: Sort, context: u64, names: Vec<String>| {
        let context = hash((sort, image, context));
        let mut last = context;
        let items = names.iter().map(|name| {
            last = hash((last, name));
            last
        });
        habits.push(Habit { sort, context, items: items.collect(), names });
    };
    let one = |name: &str| vec![name.to_owned()];
    if act.kind == "exec" {
        add(Sort::Run, 0, components(act.program));
        add(Sort::Starts, hash(starter), one(class));
        if who.is_some() {
            add(Sort::StartedBy, hash(class), one(parent));
        }
        add(Sort::User, hash(who), one(act.user));
        for argument in act.arguments.split(' ').skip(1).take(ARGUMENTS) {
            if argument.starts_with('/') {
                add(Sort::Argument, hash((who, "path")), components(argument));
            } else if argument.starts_with('-') {
                let option: String = argument.chars().take_while(|char| *char != '=').take(12).collect();
                add(Sort::Argument, hash((who, "option")), one(&option));
            }
        }
        return habits;
    }
    let name = || one(who.as_deref().unwrap_or_default());
    add(Sort::Deed, 0, one(&act.deed));
    add(Sort::Does, hash(who), one(&act.deed));
    add(Sort::DoneBy, hash(&act.deed), name());
    match act.target {
        Target::None => {}
        Target::Peer { ip, port } => {
            let peer = class::peer(ip, port);
            add(Sort::AimedBy, hash((act.kind, &peer)), name());
            add(Sort::Target, hash(act.kind), one(&peer));
            add(Sort::Aims, hash((who, act.kind)), one(&peer));
        }
        Target::File(file) => {
            let way = match act.kind {
                "file_read" => "read",
                "file_write" => "write",
                "mmap_exec" => "map",
                "dup" => "dup",
                _ => "change",
            };
            // Which library of a directory is mapped says nothing; which directory it is does.
            let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
            let path = components(if way == "map" { directory } else { file });
            add(Sort::AimedBy, hash((way, class::path(directory))), name());
            if TELLING.iter().any(|start| file.starts_with(start)) {
                add(Sort::AimedBy, hash((way, "file", class::path(file))), name());
            }
            add(Sort::Target, hash(way), path.clone());
            add(Sort::Aims, hash((who, way)), path);
        }
    }
    habits
}

/// The components of a path; its root has none, and is something, too.
fn components(path: &str) -> Vec<String> {
    let mut components: Vec<String> =
        class::components(path).into_iter().map(|component| format!("/{component}")).collect();
    if components.is_empty() {
        components.push("/".into());
    }
    components
}

impl Habit {
    /// The key that counts how often something new came in a context.
    pub(super) fn news(context: u64) -> u64 {
        hash((context, "news"))
    }

    /// What the habit is called as a whole: the key of its last item.
    pub(super) fn key(&self) -> u64 {
        self.items.last().copied().unwrap_or(self.context)
    }

    /// The surprise in words; `depth` of its items are known, and the next was seen so often among so many.
    pub(super) fn told(
        &self,
        act: &Act<'_>,
        known: bool,
        depth: usize,
        seen: f64,
        all: f64,
        bits: f64,
    ) -> String {
        let Act { deed, program, parent, user, .. } = act;
        let place = if act.image.is_empty() { String::new() } else { format!(" in {}", act.image) };
        let item: String = self.names.iter().take(depth + 1).map(String::as_str).collect();
        let peers = match act.target {
            Target::Peer { .. } => item.clone(),
            Target::File(file) if self.sort == Sort::AimedBy => file.to_owned(),
            _ => item.clone(),
        };
        let of = if known { (*program).to_owned() } else { format!("programs hardly known, like {program}") };
        let (what, among) = match self.sort {
            Sort::Run => (format!("{item} is run{place}"), format!("starts of programs{place}")),
            Sort::Starts => {
                (format!("{parent} starts {program}{place}"), format!("programs that {parent} started"))
            }
            Sort::StartedBy => (format!("{parent} starts {program}{place}"), format!("starts of {program}")),
            Sort::User => (format!("{program}{place} runs as user {user}"), format!("starts of {of}")),
            Sort::Argument => {
                (format!("{program}{place} is started with {item}"), format!("arguments of {of}"))
            }
            Sort::Deed => (format!("{program}{place}: {deed}"), format!("deeds of processes{place}")),
            Sort::Does => (format!("{program}{place}: {deed}"), format!("deeds of {of}")),
            Sort::DoneBy => (format!("{deed} by {program}{place}"), format!("processes that did it{place}")),
            Sort::Target => {
                (format!("{program}{place}: {deed} {peers}"), format!("targets of all programs{place}"))
            }
            Sort::Aims => (format!("{program}{place}: {deed} {peers}"), format!("targets of {of}")),
            Sort::AimedBy => {
                (format!("{program}{place}: {deed} {peers}"), "processes that did it there".into())
            }
        };
        let before = if seen < 0.5 { "never seen".to_owned() } else { format!("seen {seen:.0} times") };
        format!("{what}: {before} among {all:.0} {among} ({bits:.1} bits)")
    }
}
