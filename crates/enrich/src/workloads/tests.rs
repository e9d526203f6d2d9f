use std::collections::VecDeque;

use sentinel_event::{Container, Owner, User};

use super::*;
use crate::place::place_of;

const MNT: u32 = 100;
const UID: &str = "0a1b2c3d-0000-4000-8000-000000000001";

/// Notes what it is asked, and answers what it is told to.
#[derive(Debug, Default)]
struct Office {
    asked: Vec<String>,
    answers: VecDeque<Answer>,
    closed: bool,
}

impl Directory for Office {
    fn ask_container(&mut self, place: &Place) -> bool {
        self.asked.push(place.container.as_deref().unwrap_or_default().trim_start_matches('0').to_owned());
        !self.closed
    }
    fn ask_users(&mut self, of: &UsersOf, tgid: u32) -> bool {
        self.asked.push(format!("users of {} by {tgid}", of.mnt));
        !self.closed
    }
    fn ask_user(&mut self, of: &UsersOf, _tgid: u32, uid: u32) -> bool {
        self.asked.push(format!("user {uid} of {}", of.mnt));
        !self.closed
    }
    fn ask_pod(&mut self, uid: &Arc<str>) -> bool {
        self.asked.push(format!("pod {uid}"));
        !self.closed
    }
    fn answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }
}

fn place(id: u64) -> Arc<Place> {
    Arc::new(place_of(format!("/docker/{id:064x}").as_str().into()))
}

fn visit(cgroup: u64, exec: bool) -> Visit {
    Visit { key: (cgroup, MNT), cell: (cgroup, 0), tgid: 7, uid: 5, exec }
}

fn container(id: u64, name: &str) -> Answer {
    let found = Container { name: name.into(), ..Container::default() };
    Answer::Container { id: format!("{id:064x}").into(), found: Some(Arc::new(found)) }
}

fn of(container: impl Into<Option<u64>>) -> UsersOf {
    UsersOf { mnt: MNT, container: container.into().map(|id| format!("{id:064x}").into()) }
}

fn users(container: impl Into<Option<u64>>, name: &str) -> Answer {
    let user = User { uid: 5, name: name.into(), ..User::default() };
    let found = Some(Arc::new(Users { users: vec![user], ..Users::default() }));
    Answer::Users { of: of(container), found }
}

fn name(workloads: &Workloads, cgroup: u64) -> Option<String> {
    Some(workloads.get((cgroup, MNT))?.container.get()?.name.clone())
}

fn user(workloads: &Workloads, cgroup: u64) -> Option<String> {
    Some(workloads.get((cgroup, MNT))?.users.get()?.user(5)?.name.clone())
}

#[test]
fn a_user_of_the_host_whom_its_files_do_not_have_is_asked_for_once_a_minute() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    let host = Arc::new(place_of("/system.slice/cron.service".into()));
    let mut visit_at = |uid, now_ns, office: &mut Office| {
        let visit = Visit { uid, ..visit(9, true) };
        workloads.visit(&visit, Some((&host, None)), office, now_ns);
        workloads.take_answers(office);
    };
    let found =
        Users { users: vec![User { uid: 5, name: "ann".into(), ..User::default() }], ..Users::default() };
    let found = Some(Arc::new(found));
    office.answers.push_back(Answer::Users { of: of(None), found });
    for (uid, now_ns) in
        [(5, 0), (5, 1), (54_321, 2), (54_321, 3), (54_321, STRANGER_NS), (54_321, STRANGER_NS + 2)]
    {
        visit_at(uid, now_ns, &mut office);
    }
    let asked: Vec<_> = office.asked.iter().filter(|asked| asked.starts_with("user ")).collect();
    assert_eq!(asked, ["user 54321 of 100", "user 54321 of 100"]);
}

#[test]
fn a_container_is_asked_for_once_and_pending_until_all_is_answered() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    for now_ns in 0..3 {
        workloads.visit(&visit(9, false), Some((&place(9), None)), &mut office, now_ns);
    }
    assert_eq!(office.asked, ["9", "users of 100 by 7"]);
    assert!(workloads.get((9, MNT)).unwrap().is_pending());
    office.answers.extend([container(9, "web"), users(9, "ann")]);
    workloads.take_answers(&mut office);
    assert!(!workloads.get((9, MNT)).unwrap().is_pending());
    assert_eq!((name(&workloads, 9), user(&workloads, 9)), (Some("web".into()), Some("ann".into())));
    workloads.visit(&visit(9, false), Some((&place(9), None)), &mut office, 3);
    assert!(workloads.is_settled((9, MNT), false, 4));
    assert_eq!(office.asked.len(), 2);
}

#[test]
fn when_nobody_can_be_asked_nothing_is_pending() {
    let (mut workloads, mut office) = (Workloads::new(8), Office { closed: true, ..Office::default() });
    workloads.visit(&visit(9, false), Some((&place(9), None)), &mut office, 0);
    assert!(!workloads.get((9, MNT)).unwrap().is_pending());
    office.closed = false;
    workloads.visit(&visit(9, false), Some((&place(9), None)), &mut office, RETRY_NS);
    assert!(workloads.get((9, MNT)).unwrap().is_pending(), "it is asked again later");
}

#[test]
fn when_the_process_that_was_asked_through_has_ended_the_last_one_met_is_tried() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    let gone = || Answer::Users { of: of(9), found: None };
    let here = place(9);
    for tgid in [7, 8] {
        workloads.visit(&Visit { tgid, ..visit(9, false) }, Some((&here, None)), &mut office, 0);
    }
    office.answers.extend([container(9, "web"), gone()]);
    workloads.take_answers(&mut office);
    assert!(workloads.get((9, MNT)).unwrap().is_pending());
    office.answers.push_back(users(9, "ann"));
    workloads.take_answers(&mut office);
    assert_eq!(user(&workloads, 9).as_deref(), Some("ann"));
    assert_eq!(office.asked, ["9", "users of 100 by 7", "users of 100 by 8"]);
    // Nobody else was met: the next one is tried at once.
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    workloads.visit(&visit(9, false), Some((&here, None)), &mut office, 0);
    office.answers.extend([container(9, "web"), gone()]);
    workloads.take_answers(&mut office);
    assert!(!workloads.is_settled((9, MNT), false, 1));
    for tgid in [7, 8, 8] {
        workloads.visit(&Visit { tgid, ..visit(9, false) }, Some((&here, None)), &mut office, 1);
    }
    assert_eq!(office.asked, ["9", "users of 100 by 7", "users of 100 by 8"]);
}

#[test]
fn a_pod_is_told_by_its_uid_and_again_when_it_changes() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    let path = format!("/kubepods/burstable/pod{UID}/{:064x}", 9);
    let here = Arc::new(place_of(path.as_str().into()));
    workloads.visit(&visit(9, false), Some((&here, None)), &mut office, 0);
    assert_eq!(office.asked, ["9", &*format!("pod {UID}"), "users of 100 by 7"]);
    let told = |owner: &str| {
        let owner = Some(Owner { name: owner.into(), ..Owner::default() });
        Answer::Pod { uid: UID.into(), found: Some(Arc::new(Pod { owner, ..Pod::default() })) }
    };
    let known = |workloads: &Workloads| {
        let pod = workloads.get((9, MNT)).unwrap().pod.get().cloned();
        pod.map(|pod| (pod.owner.unwrap().name, pod.sandbox))
    };
    office.answers.extend([container(9, "web"), users(9, "ann")]);
    workloads.take_answers(&mut office);
    assert!(workloads.get((9, MNT)).unwrap().is_pending(), "the pod is not told yet");
    office.answers.push_back(told("web"));
    workloads.take_answers(&mut office);
    assert!(!workloads.get((9, MNT)).unwrap().is_pending());
    assert_eq!(known(&workloads), Some(("web".into(), String::new())));
    // The runtime alone knows the sandbox.
    let pod = Arc::new(Pod { sandbox: "s".into(), ..Pod::default() });
    let found = Some(Arc::new(Container { pod: Some(pod), ..Container::default() }));
    let forgotten = Answer::Pod { uid: UID.into(), found: None };
    office.answers.extend([
        Answer::Container { id: format!("{:064x}", 9).into(), found },
        told("shop"),
        forgotten,
    ]);
    workloads.take_answers(&mut office);
    assert_eq!(known(&workloads), Some(("shop".into(), "s".into())));
    workloads.visit(&visit(9, false), Some((&here, None)), &mut office, RETRY_NS);
    assert_eq!(office.asked.len(), 3, "what is known is not asked for again");
}

#[test]
fn processes_of_the_host_never_wait() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    let host = Arc::new(place_of("/system.slice/x.service".into()));
    workloads.visit(&visit(3, true), Some((&host, None)), &mut office, 0);
    assert!(!workloads.get((3, MNT)).unwrap().is_pending());
    office.answers.push_back(users(None, "ann"));
    workloads.take_answers(&mut office);
    workloads.visit(&visit(3, true), Some((&host, None)), &mut office, 1);
    assert_eq!((user(&workloads, 3).as_deref(), office.asked.len()), (Some("ann"), 1));
}

#[test]
fn a_runtime_that_has_forgotten_does_not_make_us_forget() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    workloads.visit(&visit(9, false), Some((&place(9), None)), &mut office, 0);
    let gone = Answer::Container { id: format!("{:064x}", 9).into(), found: None };
    office.answers.extend([container(9, "web"), gone]);
    workloads.take_answers(&mut office);
    assert_eq!(name(&workloads, 9).as_deref(), Some("web"));
}

#[test]
fn a_cell_that_becomes_another_place_is_made_anew() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    workloads.visit(&visit(9, false), None, &mut office, 0);
    assert_eq!(workloads.get((9, MNT)).unwrap().place.container, None);
    workloads.forget((9, 0));
    assert!(!workloads.is_settled((9, MNT), false, 1));
}

#[test]
fn a_thousand_containers_leave_what_the_bound_says() {
    let (mut workloads, mut office) = (Workloads::new(16), Office::default());
    for id in 1..=1000 {
        workloads.visit(&visit(id, true), Some((&place(id), None)), &mut office, id * 1000);
        office.answers.push_back(container(id, "short"));
        workloads.take_answers(&mut office);
        let (known, containers, users) = workloads.sizes();
        assert!(known <= 16 && containers <= 16 && users <= 16);
    }
    assert_eq!(name(&workloads, 1000).as_deref(), Some("short"));
    assert_eq!(workloads.evicted, 3 * (1000 - 16));
}

#[test]
fn a_mount_namespace_with_the_number_of_one_that_has_gone_has_users_of_its_own() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    for id in [9, 10] {
        workloads.visit(&visit(id, true), Some((&place(id), None)), &mut office, id);
        assert_eq!(user(&workloads, id), None, "nobody has told");
        let name = format!("user{id}");
        // What was read of the other one comes late.
        office.answers.extend([users(9, "user9"), users(id, &name)]);
        workloads.take_answers(&mut office);
        assert_eq!(user(&workloads, id), Some(name));
    }
}

#[test]
fn what_only_cgroups_that_have_gone_had_is_forgotten() {
    let (mut workloads, mut office) = (Workloads::new(8), Office::default());
    let host = Arc::new(place_of("/system.slice/x.service".into()));
    workloads.visit(&visit(3, true), Some((&host, None)), &mut office, 0);
    // Two cgroups of one container, and another container.
    let inner = Arc::new(place_of(format!("/docker/{:064x}/init.scope", 9).as_str().into()));
    for (cgroup, place) in [(9, &place(9)), (90, &inner), (10, &place(10))] {
        workloads.visit(&visit(cgroup, true), Some((place, None)), &mut office, 0);
    }
    assert_eq!(workloads.sizes(), (4, 2, 3));
    workloads.bury(&[3, 9].into_iter().collect());
    assert_eq!(workloads.sizes(), (2, 2, 3), "the container has another cgroup; the host stays");
    workloads.bury(&[90, 77].into_iter().collect());
    assert_eq!(workloads.sizes(), (1, 1, 2));
    assert!(workloads.get((10, MNT)).is_some());
}
