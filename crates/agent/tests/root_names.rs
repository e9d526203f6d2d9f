//! An address has the name under which somebody on this host looked it up. Needs root: port 53 is of the privileged ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::{
    fs,
    net::{Ipv4Addr, TcpStream, UdpSocket},
    time::Duration,
};

use harness::{Agent, DEADLINE, poll};
use serde_json::Value;

const RULE: &str = r#"
- rule: Named
  desc: A connection to a host by its name.
  condition: evt.type = connect and fd.sip.name = "www.shop.example" and fd.sport = 9
  output: to %fd.sip.name
  priority: NOTICE
"#;

/// `www.shop.example` is another name for `edge.example`, whose address this is.
fn answer(ip: Ipv4Addr) -> Vec<u8> {
    let mut message = b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0\x03WWW\x04shop\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x07\x04edge\xc0\x15\
        \x04edge\xc0\x15\0\x01\0\x01\0\0\0\x3c\0\x04"
        .to_vec();
    message.extend_from_slice(&ip.octets());
    message
}

#[test]
fn a_connection_has_the_name_that_was_looked_up_and_the_answer_can_be_forwarded() {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let (resolver, shop) =
        (Ipv4Addr::new(127, high | 128, low, 253), Ipv4Addr::new(127, high | 128, low, 254));
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules.yaml");
    fs::write(&rules, RULE).unwrap();
    let config = format!("detection: {{rules: [{}]}}", rules.display());
    let (agent, lines) = Agent::start(dir.path(), &config, "rules: [{name: d, event: dns}]");
    let (server, client) =
        (UdpSocket::bind((resolver, 53)).unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    client.connect((resolver, 53)).unwrap();
    server.send_to(&answer(shop), client.local_addr().unwrap()).unwrap();
    client.recv(&mut [0; 512]).unwrap();
    // Nobody listens there: the attempt is enough.
    assert!(TcpStream::connect_timeout(&(shop, 9).into(), Duration::from_secs(5)).is_err());
    let (mut event, mut alert) = (Value::Null, Value::Null);
    let both = || {
        for line in lines.try_iter() {
            let told: Value = serde_json::from_str(&line).unwrap();
            if told["data"]["question"] == "www.shop.example" {
                event = told;
            } else if told["rule_id"] == "named" {
                alert = told;
            }
        }
        (event != Value::Null && alert != Value::Null).then_some(())
    };
    poll(both, || format!("not within {DEADLINE:?}: {}", agent.log()));
    let data = &event["data"];
    assert_eq!((&data["type"], &data["code"]), (&"A".into(), &"NOERROR".into()), "{event}");
    assert_eq!(data["addresses"], format!("{shop} 60 edge.example"), "{event}");
    assert_eq!(
        (&data["peer_ip"], &data["peer_port"]),
        (&resolver.to_string().into(), &"53".into()),
        "{event}"
    );
    assert_eq!(alert["reason"], "to www.shop.example edge.example", "{alert}");
    agent.stop();
}
