//! Names of users and groups.

use std::sync::Arc;

/// Whose users are meant. Not the mount namespace alone: its number is given to the next as soon as it has gone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UsersOf {
    /// The mount namespace.
    pub mnt: u32,
    /// The container that it is met in, as in [`crate::Place::container`]; none for the host.
    pub container: Option<Arc<str>>,
}

/// The users and groups of one root directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// In the order of their ids, each once.
    pub users: Vec<User>,
    /// In the order of their ids, each once.
    pub groups: Vec<Group>,
    /// How ids inside became ids of the host; empty where they are the same.
    pub uid_map: Vec<Mapping>,
    /// As `uid_map`, for groups.
    pub gid_map: Vec<Mapping>,
}

/// A line of `passwd`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Its id there.
    pub uid: u32,
    /// Its name.
    pub name: String,
    /// Its home directory.
    pub home: String,
    /// Its shell.
    pub shell: String,
}

/// A line of `group`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its id there.
    pub gid: u32,
    /// Its name.
    pub name: String,
}

/// A line of `/proc/PID/uid_map`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mapping {
    /// First id inside.
    pub inside: u32,
    /// First id on the host.
    pub outside: u32,
    /// How many there are.
    pub count: u32,
}

impl Users {
    /// With the maps of ids of the process's user namespace. The first line of an id counts, as for the C library.
    pub fn new(
        mut users: Vec<User>,
        mut groups: Vec<Group>,
        uid_map: Vec<Mapping>,
        gid_map: Vec<Mapping>,
    ) -> Self {
        users.sort_by_key(|user| user.uid);
        users.dedup_by_key(|user| user.uid);
        groups.sort_by_key(|group| group.gid);
        groups.dedup_by_key(|group| group.gid);
        Self { users, groups, uid_map, gid_map }
    }

    /// The user that has this id on the host.
    pub fn user(&self, uid: u32) -> Option<&User> {
        let inside = inside(&self.uid_map, uid)?;
        self.users.binary_search_by_key(&inside, |user| user.uid).ok().and_then(|at| self.users.get(at))
    }

    /// The group that has this id on the host.
    pub fn group(&self, gid: u32) -> Option<&Group> {
        let inside = inside(&self.gid_map, gid)?;
        self.groups.binary_search_by_key(&inside, |group| group.gid).ok().and_then(|at| self.groups.get(at))
    }
}

fn inside(map: &[Mapping], id: u32) -> Option<u32> {
    if map.is_empty() {
        return Some(id);
    }
    map.iter().find_map(|line| {
        let at = id.checked_sub(line.outside).filter(|at| *at < line.count)?;
        line.inside.checked_add(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_host_are_translated_before_they_are_looked_up() {
        let user = |uid, name: &str| User { uid, name: name.into(), ..User::default() };
        let found = vec![user(33, "www"), user(0, "root"), user(0, "toor")];
        let mut users = Users::new(found, Vec::new(), Vec::new(), Vec::new());
        assert_eq!(users.user(0).map(|user| &*user.name), Some("root"), "the first line counts");
        assert_eq!(users.user(33).map(|user| &*user.name), Some("www"));
        users.uid_map = vec![Mapping { inside: 0, outside: 100_000, count: 65_536 }];
        assert_eq!(users.user(33), None, "the host's 33 is nobody inside");
        assert_eq!(users.user(100_033).map(|user| &*user.name), Some("www"));
        users.uid_map = vec![Mapping { inside: u32::MAX, outside: 0, count: u32::MAX }];
        assert_eq!(users.user(5), None, "no overflow");
    }
}
