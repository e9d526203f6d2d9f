//! Facts about sockets.

use sentinel_event::{Body, Dns, Endpoint, Kind, Socket, Source};

use super::{ARGUMENT, Fact, KERNEL, USER, process::path_flags, rows, some_bytes, some_number, when};
use crate::{Value, flags};

const DNS: &str = "whoever answered at port 53";

macro_rules! socket {
    ($socket:ident; $($key:literal, $source:expr, $meaning:literal, $get:expr;)*) => {
        &[$(Fact {
            section: crate::Section::Data, key: $key, json: concat!(",\"", $key, "\":\""), meaning: $meaning, unit: "", source: $source, actor: false,
            kinds: &[
                Kind::Connect, Kind::Accept, Kind::Bind, Kind::Listen, Kind::Send, Kind::Recv, Kind::Dns, Kind::Dup,
            ],
            get: |told| socket_of(&told.observation.event.body).and_then(|$socket| $get),
        },)*]
    };
}

const SOCKET: &[Fact] = socket! { socket;
    "family", KERNEL, "`unix`, `inet`, `inet6` …, `other`. Absent when no socket was found.", flags::family(socket.family).map(Value::Name);
    "socket_type", KERNEL, "`stream`, `datagram`, `raw`, `seqpacket`, `other`. Absent when no socket was found.",
        flags::socket_kind(socket.kind).map(Value::Name);
    "protocol", KERNEL, "`IPPROTO_*`: `tcp`, `udp`, `icmp`, or the number. Absent for 0.", protocol(socket.protocol);
    "fd", ARGUMENT, "The descriptor.", Some(Value::I64(socket.fd.into()));
    "local_ip", KERNEL, "Our address. Absent when unset or not IP.", ip(&socket.local);
    "local_port", KERNEL, "Our port. Absent when unset.", some_number(socket.local.port.into());
    "local_path", KERNEL, "Our path of a unix socket; `@` before an abstract name. Absent when unnamed.", some_bytes(&socket.local.path);
    "local_source", KERNEL, "Where our address was read: `kernel` or `user`. Absent when there is none.", source(&socket.local);
    "peer_ip", KERNEL, "Address of the other end. Absent when unset or not IP.", ip(&socket.peer);
    "peer_port", KERNEL, "Port of the other end. Absent when unset.", some_number(socket.peer.port.into());
    "peer_path", KERNEL, "Path of the other end. Absent when unnamed.", some_bytes(&socket.peer.path);
    "peer_source", KERNEL, "Where the other end's address was read: `kernel` or `user`. Absent when there is none.", source(&socket.peer);
    "asked_ip", USER, "Address the caller passed: a second witness. Absent when not read.", ip(&socket.asked);
    "asked_port", USER, "Port the caller passed. Absent when not read.", some_number(socket.asked.port.into());
    "asked_path", USER, "Path the caller passed. Absent when not read.", some_bytes(&socket.asked.path);
    "peer_names", DNS, "Names under which this host, in the same network namespace, looked the other end's address up, a blank between them, the newest first. Absent when none is known, and when no rule asks for them.",
        (!socket.peer_names.is_empty()).then_some(Value::Words(None, &socket.peer_names));
    "shared", KERNEL, "Another thread may have swapped the descriptor before it was looked at. Absent when not.", when(socket.shared);
};

const LISTEN: &[Fact] = rows! { Data, &[Kind::Listen], Body::Listen(listen) =>
    "backlog", "connections", ARGUMENT, "Length of the queue asked for.", Some(Value::U64(listen.backlog.into()));
};

const MAKE: &[Fact] = rows! { Data, &[Kind::Socket], Body::Socket(made) =>
    "family", "", ARGUMENT, "`unix`, `inet`, `inet6` …, `other`. Absent for 0.",
        u16::try_from(made.family).map_or(Some("other"), flags::family).map(Value::Name);
    "socket_type", "", ARGUMENT, "`stream`, `datagram`, `raw`, `seqpacket`, `other`. Absent for 0.",
        u16::try_from(made.kind).map_or(Some("other"), flags::socket_kind).map(Value::Name);
    "protocol", "", ARGUMENT, "Number of the protocol, as the family counts them.", Some(Value::U64(made.protocol.into()));
    "flags", "", ARGUMENT, "`SOCK_CLOEXEC`, `SOCK_NONBLOCK`, `|` between them; `0` for none.",
        Some(Value::Flags(made.flags.into(), flags::SOCK));
};

const MESSAGE: &[Fact] = rows! { Data, &[Kind::Send, Kind::Recv], Body::Send(message) | Body::Recv(message) =>
    "bytes", "bytes", "kernel; of sendmmsg and recvmmsg caller's memory", "Bytes of this message.", Some(Value::U64(message.bytes));
    "flags", "hexadecimal", ARGUMENT, "`MSG_*`.", Some(Value::Hex(message.flags.into()));
    "message", "", ARGUMENT, "Which message of the call this is, from 0.", Some(Value::U64(message.message.into()));
};

const ANSWER: &[Fact] = rows! { Data, &[Kind::Dns], Body::Dns(dns) =>
    "question", "", DNS, "The name that was asked about, in small letters; bytes that are no letters of names as `\\DDD`. Absent when it cannot be read.",
        some_bytes(&dns.question);
    "type", "", DNS, "What was asked about it: `A`, `AAAA` …, or the number. Absent likewise.", record_type(dns);
    "code", "", DNS, "How the question was answered: `NOERROR`, `NXDOMAIN`, `SERVFAIL` …, or the number. Absent likewise.", code(dns);
    "addresses", "", DNS, "Addresses of the name: `ADDRESS SECONDS NAME`, a comma and a blank between them. NAME is the name asked about, or one that it is another name for. Absent for none.",
        (!dns.addresses.is_empty()).then_some(Value::Addresses(&dns.addresses));
    "bytes", "bytes", KERNEL, "Length of the message.", Some(Value::U64(dns.bytes.into()));
    "truncated", "", DNS, "Only the first 512 bytes were looked at, or the server has left something out. Absent when not.", when(dns.truncated);
    "malformed", "", DNS, "It makes no sense, at least from some byte on. Absent when it does.", when(dns.malformed);
};

const DUP: &[Fact] = rows! { Data, &[Kind::Dup], Body::Dup(dup) =>
    "old_fd", "", ARGUMENT, "The descriptor there was.", Some(Value::I64(dup.old_fd.into()));
    "asked_fd", "", ARGUMENT, "The number asked for, of fcntl the lowest it may be. Absent for any.",
        (dup.asked_fd >= 0).then(|| Value::I64(dup.asked_fd.into()));
    "flags", "", ARGUMENT, "`O_CLOEXEC`, or `0`.", Some(Value::Flags(dup.flags.into(), flags::OPEN));
    "filename", "", KERNEL, "Absolute path of the file. Absent for pipes, sockets and the like.", some_bytes(&dup.path.bytes);
    "path_flags", "", KERNEL, "What is special about the path. Absent for nothing.", path_flags(dup.path.flags);
    "dev", "", KERNEL, "Device number of the file system. Absent when nothing is at the descriptor.", some_number(dup.dev.into());
    "ino", "", KERNEL, "Inode number. Absent when nothing is at the descriptor.", some_number(dup.ino);
};

pub(super) const FACTS: &[&[Fact]] = &[SOCKET, LISTEN, MAKE, MESSAGE, ANSWER, DUP];

fn socket_of(body: &Body) -> Option<&Socket> {
    match body {
        Body::Connect(connect) => Some(&connect.socket),
        Body::Accept(accept) => Some(&accept.socket),
        Body::Bind(bind) => Some(&bind.socket),
        Body::Listen(listen) => Some(&listen.socket),
        Body::Send(message) | Body::Recv(message) => Some(&message.socket),
        Body::Dns(dns) => Some(&dns.socket),
        Body::Dup(dup) => Some(&dup.socket),
        _ => None,
    }
}

fn record_type(dns: &Dns) -> Option<Value<'_>> {
    let number = dns.record_type;
    (!dns.question.is_empty()).then(|| dns.type_name().map_or(Value::U64(number.into()), Value::Name))
}

fn code(dns: &Dns) -> Option<Value<'_>> {
    let number = dns.code;
    (!dns.question.is_empty()).then(|| dns.code_name().map_or(Value::U64(number.into()), Value::Name))
}

fn ip(end: &Endpoint) -> Option<Value<'_>> {
    end.ip.map(Value::Ip)
}

fn source(end: &Endpoint) -> Option<Value<'_>> {
    match end.source {
        Source::None => None,
        Source::Kernel => Some(Value::Name("kernel")),
        Source::User => Some(Value::Name("user")),
    }
}

fn protocol(number: u16) -> Option<Value<'static>> {
    Some(match i32::from(number) {
        0 => return None,
        libc::IPPROTO_TCP => Value::Name("tcp"),
        libc::IPPROTO_UDP => Value::Name("udp"),
        libc::IPPROTO_ICMP => Value::Name("icmp"),
        libc::IPPROTO_ICMPV6 => Value::Name("icmp6"),
        _ => Value::U64(number.into()),
    })
}
