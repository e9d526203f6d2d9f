//! Stock rules that cannot fire on a machine of ours, on made-up events: docs/rules-stock.md says why. Each fires on
//! what it describes, with every field of its output, and is silent on the twin.

use sentinel_event::{
    Body, Capabilities, Container, Known, ModuleLoad, Observation, Pod, Process, Socket, Workload,
};
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Matching, Selection},
};

use super::build::{called, connect, contained, fired, observation, process, socket, stock_texts};

const SYS_MODULE: u64 = 1 << 16;

struct Made {
    rule: &'static str,
    /// What an operator adds to the stock files for it.
    with: &'static str,
    event: Observation,
    /// The whole line.
    says: &'static str,
    twin: Observation,
}

/// A connection of a container's `curl` to `peer`, which was looked up under these names.
fn reached(peer: &str, names: &[&str]) -> Observation {
    let mut reached = contained(called(connect(peer, 443), "curl"));
    let Socket { peer_names, .. } = socket(&mut reached);
    *peer_names = names.iter().map(|name| (*name).into()).collect();
    reached
}

/// The same out of a pod of this namespace.
fn of_pod(namespace: &str, peer: &str) -> Observation {
    let mut reached = reached(peer, &[]);
    let pod = Pod { name: "web-1".into(), namespace: namespace.into(), ..Pod::default() };
    let container = Container { pod: Some(pod.into()), ..Container::default() };
    let workload = Workload { container: Known::Yes(container.into()), ..Workload::default() };
    reached.workload = Some(workload.into());
    reached
}

fn inserted(effective: u64) -> Observation {
    let module = ModuleLoad { path: "/m.ko".into(), fd: 3, ..ModuleLoad::default() };
    let mut inserted = contained(observation(Body::ModuleLoad(module)));
    inserted.event.head.syscall = super::build::call(libc::SYS_finit_module);
    let own = process(300, "insmod", "/sbin/insmod", &["insmod", "m.ko"]);
    let capabilities = Some(Capabilities { effective, ..Capabilities::default() });
    inserted.process = Some(Process { capabilities, ..Process::clone(&own) }.into());
    called(inserted, "insmod")
}

fn all() -> Vec<Made> {
    let scope =
        "- list: namespace_scope_network_only_subnet\n  items: [shop]\n  override: {items: replace}\n";
    vec![
        Made {
            rule: "Contact K8S API Server From Container",
            with: "",
            event: reached("10.96.0.1", &["kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]),
            says: "22:13:20.123456789: Notice Unexpected connection to K8s API Server from container | \
                connection=10.0.0.5:40000->10.96.0.1:443 lport=40000 rport=443 fd_type=ipv4 \
                fd_proto=tcp evt_type=connect user=<NA> user_uid=1000 user_loginuid=-1 process=curl \
                proc_exepath=/usr/bin/cat parent=bash command=curl -n /x terminal=0",
            twin: reached("10.96.0.9", &["other.default.svc.cluster.local"]),
        },
        Made {
            rule: "Linux Kernel Module Injection Detected",
            with: "",
            event: inserted(SYS_MODULE | 1),
            says: "22:13:20.123456789: Warning Linux Kernel Module injection from container | \
                parent_exepath=/usr/bin/bash gparent=sshd gexepath=/usr/sbin/sshd module=m.ko \
                res=SUCCESS evt_type=finit_module user=<NA> user_uid=1000 user_loginuid=-1 \
                process=insmod proc_exepath=/sbin/insmod parent=bash command=insmod m.ko terminal=0",
            twin: inserted(1),
        },
        Made {
            rule: "Network Connection outside Local Subnet",
            with: scope,
            event: of_pod("shop", "203.0.113.7"),
            says: "22:13:20.123456789: Warning Network connection outside local subnet | fd_rip_name=<NA> \
                fd_lip_name=<NA> fd_cip_name=<NA> fd_sip_name=<NA> \
                connection=10.0.0.5:40000->203.0.113.7:443 lport=40000 rport=443 fd_type=ipv4 \
                fd_proto=tcp evt_type=connect user=<NA> user_uid=1000 user_loginuid=-1 process=curl \
                proc_exepath=/usr/bin/cat parent=bash command=curl -n /x terminal=0",
            twin: of_pod("shop", "192.168.3.4"),
        },
    ]
}

fn engine(with: &str) -> Option<Engine> {
    let [stable, incubating] = stock_texts()?;
    let files = [("stable", stable.as_str()), ("incubating", incubating.as_str()), ("own", with)];
    let (report, set) = RuleSet::load(&files);
    let all = Selection { matching: Matching::All, ..Selection::default() };
    Some(Engine::new(set.unwrap_or_else(|| panic!("{report}")), &all))
}

#[test]
fn they_fire_with_priority_and_output_and_not_on_the_twin() {
    for made in all() {
        let Some(engine) = engine(made.with) else { return };
        let mut text = Vec::new();
        engine.evaluate(&made.event, &mut Default::default(), &mut |alert| {
            if alert.rule.name == made.rule {
                alert.text(&mut text);
            }
        });
        assert_eq!(String::from_utf8(text).expect("UTF-8"), made.says, "{}", made.rule);
        assert!(!fired(&engine, &made.twin).iter().any(|name| name == made.rule), "{}", made.rule);
    }
}
