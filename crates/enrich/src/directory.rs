//! Whom enrichment asks about containers and users.

use std::fmt::Debug;
use std::sync::Arc;

use sentinel_event::{Container, Place, Pod, Users, UsersOf};

/// Runtimes and user databases, asked elsewhere: nothing here waits.
pub trait Directory: Debug + Send {
    /// Asks what the runtime knows of a place's container. Whether an answer will come: not when no runtime can be
    /// asked, or too many questions are open.
    fn ask_container(&mut self, place: &Place) -> bool;

    /// Asks for the names of users, through the process `tgid`. Whether an answer will come. A container's root
    /// directory that is still the host's is about to become another, which is waited for.
    fn ask_users(&mut self, of: &UsersOf, tgid: u32) -> bool;

    /// Asks a directory service for a user whom a database of the host does not have, for the process `tgid` in that
    /// mount namespace. Whether somebody is asked; what is found comes as the users of `of`.
    fn ask_user(&mut self, of: &UsersOf, tgid: u32, uid: u32) -> bool {
        let _ = (of, tgid, uid);
        false
    }

    /// Asks for the pod of this UID. Whether an answer will come soon; it may come in any case, and again when the pod
    /// changes.
    fn ask_pod(&mut self, uid: &Arc<str>) -> bool {
        let _ = uid;
        false
    }

    /// The next answer.
    fn answer(&mut self) -> Option<Answer>;
}

/// What was found.
#[derive(Debug, Clone)]
pub enum Answer {
    /// About a container.
    Container {
        /// Its id, as in [`Place::container`].
        id: Arc<str>,
        /// None when no runtime knows it.
        found: Option<Arc<Container>>,
    },
    /// About a pod.
    Pod {
        /// Its UID, as in [`Place::pod_uid`].
        uid: Arc<str>,
        /// None when the API server does not know it.
        found: Option<Arc<Pod>>,
    },
    /// About users.
    Users {
        /// Whose, as it was asked.
        of: UsersOf,
        /// None when they could not be read; the process may have ended.
        found: Option<Arc<Users>>,
    },
}

/// Nobody knows anything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nobody;

impl Directory for Nobody {
    fn ask_container(&mut self, _place: &Place) -> bool {
        false
    }

    fn ask_users(&mut self, _of: &UsersOf, _tgid: u32) -> bool {
        false
    }

    fn answer(&mut self) -> Option<Answer> {
        None
    }
}
