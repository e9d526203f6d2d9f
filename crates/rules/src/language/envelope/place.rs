//! Container, pod, unit and the names of users.

use sentinel_event::{Container, Group, Image, Known, Place, Pod, Runtime, User, Users, Workload};

use super::{Row, table};

const ATTRIBUTES: &[Row] = table! { Attributes, &[];
    "container.name", "container.name", "web", |draft, text| {
        draft.place.container.get_or_insert_default().name = text.to_owned();
        Some(())
    };
    "container.type", "container.type", "docker", |draft, text| {
        draft.place.place.runtime = Some(Runtime::parse(text)?);
        Some(())
    };
    "container.image.repository", "container.image.repository", "registry.example/web", |draft, text| {
        draft.place.image().repository = text.to_owned();
        Some(())
    };
    "container.image.tag", "container.image.tag", "1.2", |draft, text| {
        draft.place.image().tag = text.to_owned();
        Some(())
    };
    "container.image.digest", "container.image.digest", "sha256:0123", |draft, text| {
        draft.place.image().digest = text.to_owned();
        Some(())
    };
    "container.privileged", "container.privileged", "true", |draft, text| {
        draft.place.container.get_or_insert_default().privileged = Some(text.parse().ok()?);
        Some(())
    };
    "k8s.ns.name", "k8s.ns.name", "shop", |draft, text| {
        draft.place.pod.get_or_insert_default().namespace = text.to_owned();
        Some(())
    };
    "k8s.pod.name", "k8s.pod.name", "web-1", |draft, text| {
        draft.place.pod.get_or_insert_default().name = text.to_owned();
        Some(())
    };
    "k8s.pod.uid", "k8s.pod.uid k8s.pod.id", "0a1b2c3d-0000-0000-0000-000000000000", |draft, text| {
        draft.place.place.pod_uid = Some(text.into());
        Some(())
    };
    "k8s.owner.kind", "k8s.owner.kind k8s.deployment.name", "Deployment", |draft, text| {
        draft.place.pod.get_or_insert_default().owner.get_or_insert_default().kind = text.to_owned();
        Some(())
    };
    "k8s.owner.name", "k8s.owner.name k8s.deployment.name", "web", |draft, text| {
        draft.place.pod.get_or_insert_default().owner.get_or_insert_default().name = text.to_owned();
        Some(())
    };
    "k8s.pod.service_account", "k8s.pod.service_account", "web", |draft, text| {
        draft.place.pod.get_or_insert_default().service_account = text.to_owned();
        Some(())
    };
    "systemd.unit", "systemd.unit", "sshd.service", |draft, text| {
        draft.place.place.unit = Some(text.into());
        Some(())
    };
    "user.name", "user.name", "ann", |draft, text| {
        draft.place.user = Some(text.to_owned());
        Some(())
    };
    "user.loginname", "user.loginname", "ann", |draft, text| {
        draft.place.login = Some(text.to_owned());
        Some(())
    };
    "group.name", "group.name", "users", |draft, text| {
        draft.place.group = Some(text.to_owned());
        Some(())
    };
    "sentinel.metadata", "", "pending", |draft, text| {
        draft.place.pending = text == "pending";
        Some(())
    };
};

pub(super) const ROWS: &[&[Row]] = &[ATTRIBUTES];

/// What was said of the place so far.
#[derive(Debug, Default)]
pub(super) struct Said {
    place: Place,
    container: Option<Container>,
    pod: Option<Pod>,
    user: Option<String>,
    login: Option<String>,
    group: Option<String>,
    pending: bool,
}

impl Said {
    fn image(&mut self) -> &mut Image {
        &mut self.container.get_or_insert_default().image
    }

    /// The workload of a process with these ids; none when nothing was said.
    pub(super) fn workload(mut self, (uid, login, gid): (u32, u32, u32)) -> Option<Workload> {
        let user = |uid, name: Option<String>| name.map(|name| User { uid, name, ..User::default() });
        let users: Vec<User> =
            [user(uid, self.user), user(login, self.login)].into_iter().flatten().collect();
        let groups: Vec<Group> = self.group.map(|name| Group { gid, name }).into_iter().collect();
        let users = (!users.is_empty() || !groups.is_empty())
            .then(|| Users::new(users, groups, Vec::new(), Vec::new()).into());
        if let Some(pod) = self.pod {
            self.container.get_or_insert_default().pod = Some(pod.into());
        }
        let container = match self.container {
            Some(container) => Known::Yes(container.into()),
            None if self.pending => Known::Pending,
            None => Known::No,
        };
        let users = users.map_or(Known::No, Known::Yes);
        let workload = Workload { place: self.place.into(), container, users, ..Workload::default() };
        (workload != Workload::default()).then_some(workload)
    }
}
