//! Names of addresses, as answers to questions about names told them. By network namespace, for a name may lead
//! elsewhere in another one. Bounded.

use std::net::IpAddr;

use rustc_hash::FxHashMap;
use sentinel_event::{Body, Dns, Text};

use crate::workloads::evict;

/// Addresses.
const BOUND: usize = 16_384;
/// Names of one address; the one that was not told for longest goes.
const NAMES: usize = 4;
/// Programs use an address longer than they should: an answer is believed this long at least, and at most.
const LEAST_S: u64 = 300;
const MOST_S: u64 = 86_400;

/// Network namespace and address.
type Key = (u32, IpAddr);

#[derive(Debug, Default)]
pub(crate) struct Names {
    known: FxHashMap<Key, Known>,
    pub(crate) evicted: u64,
}

#[derive(Debug, Default)]
struct Known {
    /// The newest last, each with the event time at which it ends.
    names: Vec<(Text, u64)>,
    used_ns: u64,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Takes note of an answer that came into network namespace `net`.
    pub(crate) fn learn(&mut self, net: u32, dns: &Dns, now_ns: u64) {
        for address in &dns.addresses {
            let seconds = u64::from(address.ttl_s).clamp(LEAST_S, MOST_S);
            let until_ns = now_ns.saturating_add(seconds * 1_000_000_000);
            let key = (net, address.ip);
            if self.known.len() >= BOUND && !self.known.contains_key(&key) {
                self.evicted += evict(&mut self.known, BOUND, |known| known.used_ns);
            }
            let known = self.known.entry(key).or_default();
            known.used_ns = now_ns;
            // What was asked for comes first.
            for name in [&address.name, &dns.question] {
                known.names.retain(|(old, until_ns)| old != name && *until_ns > now_ns);
                known.names.push((name.clone(), until_ns));
            }
            let more = known.names.len().saturating_sub(NAMES);
            known.names.drain(..more);
        }
    }

    /// Tells an event the names of the other end.
    pub(crate) fn tell(&mut self, net: u32, body: &mut Body, now_ns: u64) {
        if self.known.is_empty() {
            return;
        }
        let socket = match body {
            Body::Connect(connect) => &mut connect.socket,
            Body::Accept(accept) => &mut accept.socket,
            Body::Send(message) | Body::Recv(message) => &mut message.socket,
            Body::Dup(dup) => &mut dup.socket,
            _ => return,
        };
        let Some(ip) = socket.peer.ip.or(socket.asked.ip) else { return };
        let Some(known) = self.known.get_mut(&(net, ip)) else { return };
        known.used_ns = now_ns;
        let valid = known.names.iter().rev().filter(|(_, until_ns)| *until_ns > now_ns);
        socket.peer_names = valid.map(|(name, _)| name.clone()).collect();
    }
}

#[cfg(test)]
mod tests {
    use sentinel_event::{Connect, Endpoint, NamedAddress, Socket};

    use super::*;

    const S: u64 = 1_000_000_000;

    fn ip(last: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0xc000_0200 + last).into()
    }

    fn answer(question: &str, name: &str, last: u32, ttl_s: u32) -> Dns {
        let address = NamedAddress { name: name.into(), ip: ip(last), ttl_s };
        Dns { question: question.into(), addresses: vec![address], ..Dns::default() }
    }

    fn told(names: &mut Names, net: u32, last: u32, now_ns: u64) -> Vec<Text> {
        let peer = Endpoint { ip: Some(ip(last)), ..Endpoint::default() };
        let mut body = Body::Connect(Connect { socket: Socket { peer, ..Socket::default() } });
        names.tell(net, &mut body, now_ns);
        match body {
            Body::Connect(connect) => connect.socket.peer_names,
            _ => Vec::new(),
        }
    }

    #[test]
    fn an_address_has_the_name_that_was_asked_for_and_the_true_one() {
        let mut names = Names::default();
        names.learn(1, &answer("www.shop.example", "edge.example", 1, 60), 0);
        assert_eq!(told(&mut names, 1, 1, S), ["www.shop.example", "edge.example"]);
        assert!(told(&mut names, 2, 1, S).is_empty(), "another network namespace");
        assert!(told(&mut names, 1, 2, S).is_empty(), "another address");
        names.learn(1, &answer("edge.example", "edge.example", 1, 60), 0);
        assert_eq!(told(&mut names, 1, 1, S), ["edge.example", "www.shop.example"]);
    }

    #[test]
    fn a_name_ends_with_its_time_but_not_before_programs_let_go_of_it() {
        let mut names = Names::default();
        names.learn(1, &answer("short.example", "short.example", 1, 0), 0);
        names.learn(1, &answer("long.example", "long.example", 1, 1000), 0);
        names.learn(1, &answer("forever.example", "forever.example", 2, u32::MAX), 0);
        assert_eq!(told(&mut names, 1, 1, 299 * S), ["long.example", "short.example"]);
        assert_eq!(told(&mut names, 1, 1, 301 * S), ["long.example"]);
        assert!(told(&mut names, 1, 1, 1001 * S).is_empty());
        assert!(told(&mut names, 1, 2, 86_401 * S).is_empty());
    }

    #[test]
    fn a_flood_of_names_and_addresses_is_bounded() {
        let mut names = Names::default();
        for number in 0..10 {
            let name = format!("{number}.example");
            names.learn(1, &answer(&name, &name, 1, 60), number);
        }
        assert_eq!(told(&mut names, 1, 1, S).len(), NAMES);
        for last in 0..3 * u32::try_from(BOUND).unwrap() {
            names.learn(1, &answer("x.example", "x.example", last, 60), u64::from(last));
        }
        assert!(names.len() <= BOUND && names.evicted > 0);
    }
}
